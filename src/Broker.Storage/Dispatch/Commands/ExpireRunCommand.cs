using Broker.Core.Runs;

namespace Broker.Storage.Dispatch.Commands;

/// <summary>Fails a run that has reached its limit.</summary>
internal sealed class ExpireRunCommand : RunCommand<bool>
{
    public ExpireRunCommand(long run) => RunId = run;

    public override LoadRequirements Requirements => LoadRequirements.ActiveSteps;

    protected override void Apply(LoadedRun? run, RunSession? session, ChangeSet changes, DateTimeOffset now) => Outcome = session?.ExpireRun(now) ?? false;
}
