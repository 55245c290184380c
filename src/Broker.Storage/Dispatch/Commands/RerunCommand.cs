using Broker.Core.Runs;
using Broker.Storage.Catalog;

namespace Broker.Storage.Dispatch.Commands;

/// <summary>Retries a run, or forks it into a new instance.</summary>
internal sealed class RerunCommand : RunCommand<RerunOutcome>
{
    private readonly RerunRequest request;
    private LoadedRun? earlier;

    public RerunCommand(RerunRequest request) => (this.request, Name) = (request, new RunName(request.Workflow, request.InstanceId, request.Number));

    /// <summary>A further run of the same instance takes the place of the current one.</summary>
    public bool IsRetry => request is { ForkInto: null, DryRun: false };

    public override LoadRequirements Requirements => LoadRequirements.AllSteps
        | (request.DryRun ? LoadRequirements.Nothing : LoadRequirements.Heritage)
        | (request is { DryRun: false, CopiesEvents: true } ? LoadRequirements.Inbox : LoadRequirements.Nothing)
        | (IsRetry ? LoadRequirements.ActiveSteps : LoadRequirements.Nothing);

    public override void Decide(BatchContext batch, DateTimeOffset now)
    {
        base.Decide(batch, now);
        if (earlier is not null) Outcome = new RunStarter(batch).Rerun(request, earlier, now);
        if (Outcome!.Verdict is RerunVerdict.Started) DoItem(batch.Changes);
    }

    protected override void Apply(LoadedRun? run, RunSession? session, ChangeSet changes, DateTimeOffset now)
    {
        // A retry follows the current run; a fork may begin at any.
        earlier = run is { IsCurrent: true } || request.ForkInto is not null ? run : null;
        if (earlier is null) Outcome = new(RerunVerdict.UnknownRun);
    }
}
