using Broker.Core.Runs;
using Broker.Storage.Catalog;
using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch.Commands;

internal sealed class SendEventCommand(RunName name, string type, string? payload, string? targetStep, Delivery delivery, string? eventId)
    : StoreCommand<(SendVerdict Verdict, RunStatus Before)>, IRunCommand
{
    // The run has an event of that id: looked up for each try.
    private bool isKnown;

    public long RunId { get; set; }

    public RunName? Name { get; } = name;

    public int? StepIndex => null;

    // The id that its sender gave it, if any.
    private string? EventId => eventId;

    /// <summary>Looks up which events of these callers their runs have already. Under the runs' locks: two that are sent at once cannot both miss it.</summary>
    public static void FindKnown(IBatchTransaction transaction, List<StoreCommand> commands)
    {
        var sends = commands.OfType<SendEventCommand>().Where(s => s.EventId is not null && s.RunId != 0).ToList();
        if (sends.Count == 0) return;
        var known = transaction.KnownEvents([.. sends.Select(s => (s.RunId, s.EventId!))]);
        for (var i = 0; i < sends.Count; i++) sends[i].isKnown = known[i];
    }

    public LoadRequirements Requirements => LoadRequirements.ActiveSteps | LoadRequirements.Inbox;

    public void Apply(LoadedRun? run, RunSession? session, ChangeSet changes, DateTimeOffset now)
    {
        if (run is null || session is null)
        {
            Outcome = (SendVerdict.UnknownRun, default);
            return;
        }

        var before = session.StatusAt(now);

        // Also one of this transaction: those that are sent again at once may share it.
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
