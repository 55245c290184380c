using Broker.Core.Runs;
using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch;

/// <summary>Inbox events between their rows and the rules.</summary>
internal static class InboxRowMapper
{
    public static InboxEvent EventOf(InboxRow row) => new(row.Id, row.Type, row.Payload, row.TargetStep, Instants.FromMicros(row.Id));

    /// <summary>The row of an event that a wait has taken.</summary>
    public static InboxRow Taken(long runId, InboxEvent taken) => new()
    {
        RunId = runId,
        Id = taken.Id,
        Type = taken.Type,
        DeliveredAt = taken.DeliveredAt.ToMicros(),
        ConsumedBy = taken.ConsumedBy,
    };
}
