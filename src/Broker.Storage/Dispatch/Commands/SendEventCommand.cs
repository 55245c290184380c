using Broker.Core.Runs;
using Broker.Storage.Catalog;
using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch.Commands;

/// <summary>Stores an event for a run and gives it to the waits that match.</summary>
internal sealed class SendEventCommand : RunCommand<(SendVerdict Verdict, RunStatus Before)>
{
    private readonly string type;
    private readonly string? payload;
    private readonly string? targetStep;
    private readonly Delivery delivery;
    private readonly string? eventId;

    // The run has an event of that id: looked up in each try.
    private bool isKnown;

    /// <param name="name">The run.</param>
    /// <param name="type">The event's type.</param>
    /// <param name="payload">Raw JSON.</param>
    /// <param name="targetStep">The only step that may take it.</param>
    /// <param name="delivery">Which waits get it.</param>
    /// <param name="eventId">The id that its sender gave it, if any.</param>
    public SendEventCommand(RunName name, string type, string? payload, string? targetStep, Delivery delivery, string? eventId)
    {
        Name = name;
        (this.type, this.payload, this.targetStep, this.delivery, this.eventId) = (type, payload, targetStep, delivery, eventId);
    }

    /// <summary>Looks up which of the sent events their runs have already. Under the runs' locks: of two that are sent at once the second is found.</summary>
    public static void FindKnown(IBatchTransaction transaction, List<StoreCommand> commands)
    {
        var sends = commands.OfType<SendEventCommand>().Where(s => s.eventId is not null && s.RunId != 0).ToList();
        if (sends.Count == 0) return;
        var known = transaction.KnownEvents([.. sends.Select(s => (s.RunId, s.eventId!))]);
        for (var i = 0; i < sends.Count; i++) sends[i].isKnown = known[i];
    }

    public override LoadRequirements Requirements => LoadRequirements.ActiveSteps | LoadRequirements.Inbox;

    protected override void Apply(LoadedRun? run, RunSession? session, ChangeSet changes, DateTimeOffset now)
    {
        if (run is null || session is null)
        {
            Outcome = (SendVerdict.UnknownRun, default);
            return;
        }

        var before = session.StatusAt(now);

        // An event that is sent twice at once may share this transaction.
        if (eventId is not null && (isKnown || changes.NewInboxEvents.Exists(m => m.RunId == run.Ref.Id && m.ClientId == eventId)))
        {
            Outcome = (SendVerdict.Kept, before);
            return;
        }

        var target = targetStep is null ? null : run.State.Definition.Find(targetStep);
        var message = new InboxEvent(now.ToMicros(), type, payload, target?.Index, now);
        var verdict = session.Deliver(message, delivery, now);
        if (verdict is SendVerdict.Delivered or SendVerdict.Kept)
        {
            changes.NewInboxEvents.Add(new InboxRow { RunId = run.Ref.Id, Id = message.Id, Type = type, Payload = payload, TargetStep = target?.Index, ClientId = eventId });
        }

        Outcome = (verdict, before);
    }
}
