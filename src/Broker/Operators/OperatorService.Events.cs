using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Broker.Api;
using Broker.Auth;
using Broker.Core.Definitions;
using Broker.Core.Json;
using Broker.Core.Runs;
using Broker.Core.Triggers;
using Broker.Engine;

namespace Broker.Operators;

internal sealed partial class OperatorService
{
    private const int TriggersAtOnce = 200;
    private const int MostTargets = 1_000;

    public async Task<EventRouting> PublishEventAsync(TypedEvent sent, CancellationToken ct)
    {
        if (sent.Type is not { Length: > 0 and <= LongestEventType } type || !StorableText.Fits(type)) throw BadMember("type", $"expected an event type of 1 to {LongestEventType} characters, none of them NUL");
        if (sent.EventId is { } given && !EventIds.Fits(given)) throw BadMember("event_id", EventIds.Expected);
        var payload = JsonElement.Parse(sent.Value?.Text ?? "{}");
        if (UnicodeCheck.Problem(payload, "") is { } broken) throw BadMember("value", broken.ToString());
        var id = sent.EventId ?? Guid.NewGuid().ToString("N");
        var (targets, isCapped) = (new List<EventTarget>(), false);
        (string, int)? after = null;
        while (true)
        {
            var page = await triggers.OfTypeAsync(type, after, TriggersAtOnce, ct);
            foreach (var stored in page.Where(stored => Caller.Current.Knows(stored.Workflow)))
            {
                var trigger = TriggerReader.OfStored(stored.SpecJson);
                if (!trigger.Wants(payload)) continue;
                var target = await RouteAsync(stored.Workflow, trigger, sent, payload, id, ct);
                if (targets.Count < MostTargets) targets.Add(target);
                else isCapped = true;
            }

            if (page.Count < TriggersAtOnce) return new(id, targets, isCapped);
            after = (page[^1].Workflow, page[^1].Place);
        }
    }

    private async Task<EventTarget> RouteAsync(string workflow, EventTrigger trigger, TypedEvent sent, JsonElement payload, string id, CancellationToken ct)
    {
        var instance = trigger.Key is { } key ? key.Of(payload) : $"event-{DigestOf(trigger.Type, id)[..24]}";
        if (instance is null) return new(workflow, null, "skipped", "no_key");
        if (!trigger.Starts) return await DeliverAsync(workflow, instance, sent, id, ct);
        if (await StartableOrNoneAsync(workflow, ct) is not { } definition) return new(workflow, instance, "skipped", "no_workflow");
        var outcome = await engine.StartAsync(
            new StartRequest(definition, instance)
            {
                InputsJson = sent.Value?.Text ?? "{}",
                Key = new StartKey(DigestOf("event", trigger.Type, workflow, instance, id), DigestOf(sent.Value?.Text ?? "{}")),
            },
            ct);
        return outcome.Verdict switch
        {
            StartVerdict.Started => new(workflow, instance, outcome.Replayed ? "repeated" : "started"),
            StartVerdict.AlreadyExists when trigger.Key is null => new(workflow, instance, "repeated"),
            StartVerdict.AlreadyExists or StartVerdict.StillActive or StartVerdict.NotContinuable or StartVerdict.OtherInputs => await DeliverAsync(workflow, instance, sent, id, ct),
            StartVerdict.KeyReused => new(workflow, instance, "skipped", "other_value"),
            StartVerdict.StartsPaused => new(workflow, instance, "skipped", "starts_paused"),
            StartVerdict.BacklogFull => new(workflow, instance, "skipped", "backlog_full"),
            StartVerdict.InputsRefused => new(workflow, instance, "skipped", "inputs_refused"),
        };
    }

    private async Task<EventTarget> DeliverAsync(string workflow, string instance, TypedEvent sent, string id, CancellationToken ct)
    {
        if (await engine.FindRunAsync(workflow, instance, ct) is not { } run) return new(workflow, instance, "skipped", "no_instance");
        if (sent.Value is { } value && run.Definition.Events.Find(sent.Type!)?.Errors(value.Text, allowsMore: true) is { Count: > 0 }) return new(workflow, instance, "skipped", "invalid_event");
        var (verdict, _) = await engine.SendAsync(workflow, instance, sent.Type!, sent.Value?.Text, null, Delivery.First, ct, id);
        if (verdict is not (SendVerdict.Delivered or SendVerdict.Kept)) return new(workflow, instance, "skipped", verdict is SendVerdict.RunTerminal ? "ended" : "no_instance");
        await trail.NoteAsync(RunActions.SendEvent, workflow, instance, sent.Type);
        return new(workflow, instance, verdict is SendVerdict.Delivered ? "delivered" : "kept");
    }

    // None also where the workflow's file cannot be read.
    private async Task<WorkflowDefinition?> StartableOrNoneAsync(string workflow, CancellationToken ct)
    {
        try
        {
            return await engine.StartableAsync(workflow, ct);
        }
        catch (WorkflowBrokenException)
        {
            return null;
        }
    }

    private static string DigestOf(params string[] parts) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(parts))));
}
