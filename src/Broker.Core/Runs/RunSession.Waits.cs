using Broker.Core.Definitions;
using Broker.Core.Steps;

namespace Broker.Core.Runs;

/// <summary>Sleeps, waits and the inbox (invariants 9 and 11).</summary>
public sealed partial class RunSession
{
    /// <summary>A sleep has passed or a wait has met its deadline; a kept event beats the deadline. Pause keeps both waiting.</summary>
    public bool FinishDue(int index, DateTimeOffset now)
    {
        if (!Run.HandsOut || !steps.TryGetValue(index, out var step) || step.Status is not StepStatus.Waiting || step.Due > now) return false;
        Touch(now);
        FinishWait(step, now);
        Settle(now);
        return true;
    }

    /// <summary>Delivers an event that is stored already, with its id. The caller must have loaded the waiting steps.</summary>
    public SendVerdict Deliver(InboxEvent message, Delivery delivery, DateTimeOffset now)
    {
        if (Run.IsTerminal) return SendVerdict.RunTerminal;
        (mail ??= [])[message.Id] = message;
        Run = Run with { InboxCount = Run.InboxCount + 1 };
        Touch(now);
        if (!Run.HandsOut) return SendVerdict.Kept;

        var taken = false;
        foreach (var waiting in WaitingInOrder().Where(s => Wants(s, message)).ToList())
        {
            Take(waiting, message, now);
            taken = true;
            if (delivery is Delivery.First) break;
        }

        if (!taken)
        {
            if (Run.Streams && !Run.Definition.Steps.Any(s => s.Wants(message.Type))) Published.Add(Unhandled(message.Type));
            return SendVerdict.Kept;
        }

        Settle(now);
        return SendVerdict.Delivered;
    }

    private PublishedEvent Unhandled(string type) => StepEvents.Unhandled(
        type, Run.Definition.Events.Find(type)?.QualifiedName ?? $"{Run.Definition.Name}.{type}", Active().All(s => IsEventWait(s.Index)));

    private void ServeFreshWaits(DateTimeOffset now)
    {
        while (freshWaits is not null && freshWaits.TryDequeue(out var index))
        {
            if (Oldest(steps[index]) is not { } kept) continue;

            // Served at once: the wait never becomes visible as waiting (instances contract 4: attempts 1).
            Take(steps[index] with { Attempt = 1 }, kept, now);
        }
    }

    private void FinishWait(StepState waiting, DateTimeOffset now)
    {
        var definition = Definition(waiting.Index);
        if (definition.Kind is StepKind.WaitForEvent && Oldest(waiting) is { } kept)
        {
            Take(waiting, kept, now);
        }
        else
        {
            var ended = definition.Kind is StepKind.Sleep
                ? StepMachine.Finish(waiting, null, now)
                : StepMachine.Fail(waiting, new(StepEvents.WaitTimeoutName, "WAIT_FOR_EVENT_TIMEOUT"), now);
            Set(ended);
            Announce(ended, "not_running", null);
            Left(ended, now);
        }
    }

    private void Take(StepState waiting, InboxEvent message, DateTimeOffset now)
    {
        if ((consumed ??= []).TryAdd(message.Id, message with { DeliveredAt = now, ConsumedBy = waiting.Index }))
        {
            mail?.Remove(message.Id);
            Run = Run with { InboxCount = Run.InboxCount - 1 };
        }

        if (Run.Streams) Published.Add(StepEvents.QueueChanged(Definition(waiting.Index)));
        var ended = StepMachine.Finish(waiting, WaitResult.Of(message), now);
        Set(ended);
        Announce(ended, "not_running", message.Type);
        Left(ended, now);
    }

    private InboxEvent? Oldest(StepState waiting) => mail?.Values.FirstOrDefault(m => Wants(waiting, m));

    private bool Wants(StepState waiting, InboxEvent message)
    {
        var definition = Definition(waiting.Index);
        return definition.Kind is StepKind.WaitForEvent
            && waiting.Status is StepStatus.Waiting
            && definition.EventType == message.Type
            && (message.TargetStep is null || message.TargetStep == waiting.Index);
    }
}
