using Broker.Core.Runs;
using Broker.Storage.Catalog;

namespace Broker.Storage.Dispatch.Commands;

/// <summary>Cancels, pauses, resumes, restarts or purges the current run of an instance.</summary>
internal sealed class ControlRunCommand : RunCommand<(ControlVerdict Verdict, RunRef? Run)>
{
    public ControlRunCommand(RunName name, ControlCommand command) => (Name, Command) = (name, command);

    public override LoadRequirements Requirements => LoadRequirements.ActiveSteps | Command switch
    {
        ControlCommand.Resume => LoadRequirements.Inbox,
        ControlCommand.Restart => LoadRequirements.Heritage,
        _ => LoadRequirements.Nothing,
    };

    public ControlCommand Command { get; }

    /// <summary>Cancel: time for steps that clean up.</summary>
    public TimeSpan Grace { get; init; }

    /// <summary>The run, for the two commands that go on after the rules: restart and purge.</summary>
    public LoadedRun? Target { get; private set; }

    public override void Decide(BatchContext batch, DateTimeOffset now)
    {
        base.Decide(batch, now);
        new RunStarter(batch).AfterControl(this, now);
        if (Outcome.Verdict is ControlVerdict.Done) DoItem(batch.Changes);
    }

    protected override void Apply(LoadedRun? run, RunSession? session, ChangeSet changes, DateTimeOffset now)
    {
        if (run is null || session is null)
        {
            Outcome = (ControlVerdict.UnknownRun, null);
            return;
        }

        Target = run;
        Outcome = (Command switch
        {
            ControlCommand.Cancel => session.Cancel(now, Grace),
            ControlCommand.Pause => session.Pause(now),
            ControlCommand.Resume => session.Resume(now),
            ControlCommand.Restart => EndForGood(session, now),
            ControlCommand.Purge => EndForGood(session, now),
        }, run.Ref);
    }

    private static ControlVerdict EndForGood(RunSession session, DateTimeOffset now)
    {
        session.Cancel(now);
        session.VoidLeases();
        return ControlVerdict.Done;
    }
}
