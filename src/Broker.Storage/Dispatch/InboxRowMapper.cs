using Broker.Core.Runs;
using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch;

/// <summary>Inbox events from their rows.</summary>
internal static class InboxRowMapper
{
    public static InboxEvent EventOf(InboxRow row) => new(row.Id, row.Type, row.Payload, row.TargetStep, Instants.FromMicros(row.Id));
}
