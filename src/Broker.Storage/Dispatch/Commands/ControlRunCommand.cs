using Broker.Core.Runs;
using Broker.Storage.Catalog;

namespace Broker.Storage.Dispatch.Commands;

internal sealed class ControlRunCommand(RunName name, ControlCommand command) : StoreCommand<(ControlVerdict Verdict, RunRef? Run)>, IRunCommand
{
    public long RunId { get; set; }

    public RunName? Name { get; } = name;

    public int? StepIndex => null;

    public LoadRequirements Requirements => LoadRequirements.ActiveSteps | (Command is ControlCommand.Resume ? LoadRequirements.Inbox : LoadRequirements.Nothing);

    public ControlCommand Command { get; } = command;

    /// <summary>Restart: the batch adds the new run. Purge: it deletes.</summary>
    public LoadedRun? Target { get; private set; }

    public void Apply(LoadedRun? run, RunSession? session, ChangeSet changes, DateTimeOffset now)
    {
        if (run is null || session is null)
        {
            Outcome = (ControlVerdict.UnknownRun, null);
            return;
        }

        Target = run;
        Outcome = (Command switch
        {
            ControlCommand.Cancel => session.Cancel(now),
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
