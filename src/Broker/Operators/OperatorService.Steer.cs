using System.Text.Json;
using Broker.Api;
using Broker.Core.Json;
using Broker.Core.Runs;

namespace Broker.Operators;

internal sealed partial class OperatorService
{
    private const int LongestReason = 500;
    private const int LongestEventType = 128;

    public Task<RunChange> CancelAsync(string workflow, string instance, RunCommand command, CancellationToken ct) => SteerAsync(workflow, instance, RunActions.Cancel, ControlCommand.Cancel, command, ct);

    public Task<RunChange> TerminateAsync(string workflow, string instance, RunCommand command, CancellationToken ct) => SteerAsync(workflow, instance, RunActions.Terminate, ControlCommand.Cancel, command, ct);

    public Task<RunChange> PauseAsync(string workflow, string instance, RunCommand command, CancellationToken ct) => SteerAsync(workflow, instance, RunActions.Pause, ControlCommand.Pause, command, ct);

    public Task<RunChange> ResumeAsync(string workflow, string instance, RunCommand command, CancellationToken ct) => SteerAsync(workflow, instance, RunActions.Resume, ControlCommand.Resume, command, ct);

    public Task<RunChange> RestartAsync(string workflow, string instance, RunCommand command, CancellationToken ct) => SteerAsync(workflow, instance, RunActions.Restart, ControlCommand.Restart, command, ct);

    public Task<RunChange> DeleteAsync(string workflow, string instance, RunCommand command, CancellationToken ct) => SteerAsync(workflow, instance, RunActions.Delete, ControlCommand.Purge, command, ct);

    private async Task<RunChange> SteerAsync(string workflow, string instance, string action, ControlCommand control, RunCommand command, CancellationToken ct)
    {
        CheckReason(command.Reason);
        if (command.GraceMs is { } grace && (action != RunActions.Cancel || grace is < 0 or > RunSession.LongestGraceMs))
            throw BadMember("grace_ms", action == RunActions.Cancel ? $"expected an integer from 0 to {RunSession.LongestGraceMs}" : "only a cancel takes it");
        var before = await FindAsync(new(workflow, instance), ct);
        if (command.IfRun is { } number && number != before.Ref.Number) throw OtherRun(before);

        // By its number, so that a run which another caller starts meanwhile is left alone. A deletion is about all runs.
        var only = control is ControlCommand.Purge ? (int?)null : before.Ref.Number;
        var audited = action == RunActions.Delete ? null : action;
        var (verdict, run) = await engine.ControlAsync(workflow, instance, control, ct, audited, only, TimeSpan.FromMilliseconds(command.GraceMs ?? 0), command.Reason);
        if (verdict is ControlVerdict.UnknownRun) await FindAsync(new(workflow, instance), ct);
        if (verdict is not ControlVerdict.Done) throw await NotAllowedAsync(workflow, instance, action, before, ct);
        if (control is ControlCommand.Purge) return new(workflow, instance, before.Ref.Number, "deleted");
        var after = await engine.FindRunAsync(workflow, instance, ct, run?.Number ?? before.Ref.Number);
        return new(workflow, instance, run?.Number ?? before.Ref.Number, RunWords.Of(after?.Status ?? before.Status));
    }

    private static void CheckReason(string? reason)
    {
        if (reason is { Length: > LongestReason }) throw BadMember("reason", $"expected at most {LongestReason} characters");
        if (reason is not null && !StorableText.Fits(reason)) throw BadMember("reason", StorableText.Message);
    }

    private async Task<OperatorException> NotAllowedAsync(string workflow, string instance, string action, RunView before, CancellationToken ct)
    {
        var now = await engine.FindRunAsync(workflow, instance, ct);
        if (now is null || now.Ref.Number != before.Ref.Number) return OtherRun(now ?? before);
        return new(StatusCodes.Status409Conflict, "not_allowed", RunActions.WhyNot(action, now.Status) ?? $"The run is {RunWords.Of(now.Status)}: send the request again.") { RunStatus = RunWords.Of(now.Status) };
    }

    private static OperatorException OtherRun(RunView newest) =>
        new(StatusCodes.Status409Conflict, "other_run", $"The newest run of the instance has the number {newest.Ref.Number}.", "/if_run") { RunStatus = RunWords.Of(newest.Status) };

    public async Task<EventReceipt> SendEventAsync(string workflow, string instance, NewEvent sent, CancellationToken ct)
    {
        if (sent.Type is not { Length: > 0 and <= LongestEventType } type || !StorableText.Fits(type)) throw BadMember("type", $"expected an event type of 1 to {LongestEventType} characters, none of them NUL");
        if (sent.EventId is { } id && !EventIds.Fits(id)) throw BadMember("event_id", EventIds.Expected);
        var run = await FindAsync(new(workflow, instance), ct);
        if (sent.Step is { } step && run.Definition.Find(step) is null) throw BadMember("step", $"there is no step '{step}' in this workflow");
        if (sent.Value is { } value && run.Definition.Events.Find(type)?.Errors(value.Text, allowsMore: true) is { Count: > 0 } errors)
            throw Invalid("invalid_event", $"The value is none of event '{type}'.", errors.Select(error => new OperatorFault($"/value{error.Path}", error.Message)));
        var (verdict, before) = await engine.SendAsync(workflow, instance, type, sent.Value?.Text, sent.Step is { } target ? target : null, Delivery.First, ct, sent.EventId);
        switch (verdict)
        {
            case SendVerdict.Delivered or SendVerdict.Kept:
                await trail.NoteAsync(RunActions.SendEvent, workflow, instance, type);
                return new(verdict is SendVerdict.Delivered ? "delivered" : "kept", RunWords.Of(before));
            case SendVerdict.RunTerminal:
                throw new OperatorException(StatusCodes.Status409Conflict, "not_allowed", RunActions.WhyNot(RunActions.SendEvent, run.Status) ?? "The run has ended.") { RunStatus = RunWords.Of((await FindAsync(new(workflow, instance), ct)).Status) };
            default:
                throw OperatorException.NotFound($"There is no instance '{instance}' in workflow '{workflow}'.");
        }
    }

    public async Task<RunTagSet> SetTagsAsync(RunAddress run, RawJson tags, CancellationToken ct)
    {
        var text = TagsOf(tags, "");
        var view = await FindAsync(run, ct);
        if (!await search.TagAsync(view.Ref.Id, text, ct)) await FindAsync(run, ct);
        await trail.NoteAsync("tag", view.Ref.Workflow, view.Ref.InstanceId);
        return new(new(text ?? "{}"));
    }

    // Null for no tags.
    private static string? TagsOf(RawJson tags, string place)
    {
        var value = JsonElement.Parse(tags.Text);
        if (value.ValueKind is not JsonValueKind.Object) throw Invalid("invalid_tags", "expected an object: names with a string or a number each", [new(place, $"got {JsonText.KindOf(value)}")]);
        if (Core.Json.CanonicalJson.HasDuplicateKeys(value, out var twice)) throw Invalid("invalid_tags", $"{twice} is there twice", [new(place + twice, "is there twice")]);
        if (RunTags.Problem(value) is var (name, message)) throw Invalid("invalid_tags", $"{name}: {message}", [new(name.Length == 0 ? place : JsonText.Under(place, name), message)]);
        return value.EnumerateObject().Any() ? tags.Text : null;
    }

    private static OperatorException BadMember(string name, string expected) =>
        new(StatusCodes.Status422UnprocessableEntity, "invalid_body", $"{name}: {expected}", $"/{name}") { Errors = [new($"/{name}", expected)] };

    private static OperatorException Invalid(string code, string detail, IEnumerable<OperatorFault> errors)
    {
        OperatorFault[] all = [.. errors];
        return new(StatusCodes.Status422UnprocessableEntity, code, detail, all.Length > 0 ? all[0].Place : null) { Errors = all };
    }
}
