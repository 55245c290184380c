using Broker.Auth;
using Broker.Core.Runs;
using Broker.Engine;

namespace Broker.Operators;

internal sealed partial class OperatorService
{
    private const string CopyEvents = "copy";
    private const string DropEvents = "drop";

    public async Task<RunRerun> RetryAsync(string workflow, string instance, RunRetry retry, CancellationToken ct)
    {
        CheckReason(retry.Reason);
        var run = await FindAsync(new(workflow, instance), ct);
        if (retry.IfRun is { } number && number != run.Ref.Number) throw OtherRun(run);
        var request = new RerunRequest(workflow, instance) { Number = run.Ref.Number, Steps = retry.Steps, DryRun = retry.DryRun is true };
        return await RerunAsync(run, request, instance, "steps", retry.Reason, ct);
    }

    public async Task<RunRerun> ForkAsync(RunAddress address, RunFork fork, CancellationToken ct)
    {
        if (!Caller.Current.May(Scope.Create)) throw new OperatorException(StatusCodes.Status403Forbidden, "missing_scope", "A fork starts a run: the key lacks the scope create.");
        CheckReason(fork.Reason);
        if (fork.Events is not (null or CopyEvents or DropEvents)) throw BadMember("events", $"expected {CopyEvents} or {DropEvents}");
        var instance = fork.Instance ?? BrokerEngine.NewInstanceId();
        CheckInstance(instance);
        var run = await FindAsync(address, ct);
        var request = new RerunRequest(run.Ref.Workflow, run.Ref.InstanceId)
        {
            Number = run.Ref.Number,
            Steps = fork.From is { } step ? [step] : null,
            ForkInto = instance,
            InputsJson = fork.Inputs?.Text,
            CopiesEvents = fork.Events is not DropEvents,
            DryRun = fork.DryRun is true,
        };
        return await RerunAsync(run, request, instance, "from", fork.Reason, ct);
    }

    private async Task<RunRerun> RerunAsync(RunView run, RerunRequest request, string instance, string stepMember, string? reason, CancellationToken ct)
    {
        var outcome = await engine.RerunAsync(request, ct, reason);
        return outcome.Verdict switch
        {
            RerunVerdict.Started or RerunVerdict.Planned => new(run.Ref.Workflow, instance, outcome.Run?.Number, outcome.Kept, outcome.RunsAgain, request.DryRun),
            RerunVerdict.UnknownStep => throw BadMember(stepMember, $"there is no step '{outcome.Step}' in this workflow"),
            RerunVerdict.StillActive => throw NotAllowed(run, RunActions.WhyNot(RunActions.Retry, run.Status) ?? "The run has gone on: send the request again."),
            RerunVerdict.NothingFailed => throw NotAllowed(run, RunActions.NothingFailed),
            RerunVerdict.AlreadyExists => throw new OperatorException(StatusCodes.Status409Conflict, "already_exists", $"There is an instance '{instance}' in workflow '{run.Ref.Workflow}'.", "/instance"),
            RerunVerdict.InputsRefused => throw Invalid("invalid_inputs", "The definition does not take these inputs.", outcome.Problems.Select(p => new OperatorFault($"/inputs{p.Path}", p.Message))),
            RerunVerdict.UnknownRun => throw OtherRun(await FindAsync(new(run.Ref.Workflow, run.Ref.InstanceId), ct)),
        };
    }

    private static OperatorException NotAllowed(RunView run, string why) => new(StatusCodes.Status409Conflict, "not_allowed", why) { RunStatus = RunWords.Of(run.Status) };
}
