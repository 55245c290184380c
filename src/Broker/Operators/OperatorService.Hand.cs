using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Operators;

internal sealed partial class OperatorService
{
    private const string FailedByHand = "FailedByHand";
    private const int LongestErrorName = 100;
    private const int LongestErrorMessage = 10_000;

    public async Task<StepDetail> CompleteStepAsync(RunAddress run, string step, StepCompletion completion, CancellationToken ct)
    {
        CheckHandReason(completion.Reason);
        var view = await FindAsync(run, ct);
        CheckValue(view.Definition, StepOf(view, step), completion.Value?.Text);
        return await ByHandAsync(view, step, "complete_step", completion.Reason!, (named, _, now) => new(HandAction.Complete, ResultOf(named, completion.Value?.Text, now)), ct);
    }

    public async Task<StepDetail> FailStepAsync(RunAddress run, string step, StepFailing failing, CancellationToken ct)
    {
        CheckHandReason(failing.Reason);
        if (failing.Name is { Length: 0 or > LongestErrorName }) throw BadMember("name", $"expected 1 to {LongestErrorName} characters");
        if (failing.Message is { Length: > LongestErrorMessage }) throw BadMember("message", $"expected at most {LongestErrorMessage} characters");
        var order = new HandOrder(HandAction.Fail, Error: new(failing.Name ?? FailedByHand, failing.Message ?? failing.Reason!));
        return await ByHandAsync(await FindAsync(run, ct), step, "fail_step", failing.Reason!, (_, _, _) => order, ct);
    }

    public Task<StepDetail> SkipStepAsync(RunAddress run, string step, StepCommand command, CancellationToken ct) => ByHandAsync(run, step, "skip_step", HandAction.Skip, command, ct);

    public Task<StepDetail> RetryStepNowAsync(RunAddress run, string step, StepCommand command, CancellationToken ct) => ByHandAsync(run, step, "retry_step_now", HandAction.RetryNow, command, ct);

    public Task<StepDetail> ReleaseStepAsync(RunAddress run, string step, StepCommand command, CancellationToken ct) => ByHandAsync(run, step, "release_step", HandAction.Release, command, ct);

    private async Task<StepDetail> ByHandAsync(RunAddress run, string step, string action, HandAction hand, StepCommand command, CancellationToken ct)
    {
        CheckHandReason(command.Reason);
        return await ByHandAsync(await FindAsync(run, ct), step, action, command.Reason!, (_, _, _) => new(hand), ct);
    }

    private async Task<StepDetail> ByHandAsync(
        RunView view, string step, string action, string reason, Func<StepDefinition, WorkflowDefinition, DateTimeOffset, HandOrder> order, CancellationToken ct)
    {
        _ = StepOf(view, step);
        var verdict = await engine.ByHandAsync(view.Ref, step, order, action, reason, ct);
        var after = new RunAddress(view.Ref.Workflow, view.Ref.InstanceId, view.Ref.Number);
        if (verdict is HandVerdict.Done) return await GetStepAsync(after, step, ct);
        var now = await FindAsync(after, ct);
        var status = await StatusOfAsync(now, StepOf(now, step), ct);
        throw new OperatorException(StatusCodes.Status409Conflict, "not_allowed", verdict switch
        {
            HandVerdict.RunTerminal => $"The run has ended ({RunWords.Of(now.Status)}).",
            HandVerdict.NoChange => action == "release_step" ? $"No worker holds the step: it is {status}." : $"The step is not delayed: it is {status}.",
            _ => $"The step is {status}, not ready, leased or waiting.",
        })
        { RunStatus = RunWords.Of(now.Status) };
    }

    private async Task<string> StatusOfAsync(RunView run, StepDefinition step, CancellationToken ct) =>
        await ItemAsync(run, step, ct) is { } item ? RunWords.Of(item.Status) : RunWords.Of(BoardOf(run)[step.Index]);

    private static void CheckHandReason(string? reason)
    {
        if (string.IsNullOrWhiteSpace(reason)) throw BadMember("reason", $"expected 1 to {LongestReason} characters: an order by hand says why");
        CheckReason(reason);
    }

    private static void CheckValue(WorkflowDefinition definition, StepDefinition step, string? value)
    {
        if (value is not null && UnicodeCheck.Problem(JsonElement.Parse(value), "") is { } broken) throw Invalid("invalid_body", $"value: {broken.Message}", [new("/value", broken.ToString())]);
        switch (step.Kind)
        {
            case StepKind.Sleep when value is not null:
                throw BadMember("value", "a sleep has no result");
            case StepKind.WaitForEvent when definition.Events.Find(step.EventType!)?.Errors(value ?? "null", allowsMore: true) is { Count: > 0 } errors:
                throw Invalid("invalid_event", $"The value is none of event '{step.EventType}'.", errors.Select(error => new OperatorFault($"/value{error.Path}", error.Message)));
            case StepKind.Task when definition.Jobs is not null && value is not null
                && !(JsonElement.Parse(value) is { ValueKind: JsonValueKind.Object } outputs && outputs.EnumerateObject().All(output => output.Value.ValueKind is JsonValueKind.String)):
                throw BadMember("value", "expected an object of strings: the outputs of a job");
        }
    }

    // As its worker, or its event, would have left it.
    private static string? ResultOf(StepDefinition step, string? value, DateTimeOffset now) => step.Kind switch
    {
        StepKind.WaitForEvent => WaitResult.Of(new InboxEvent(0, step.EventType!, value, null, now)),
        StepKind.Sleep => null,
        StepKind.Map => value,
        StepKind.Task => value ?? (step.Command is null ? null : "{}"),
    };
}
