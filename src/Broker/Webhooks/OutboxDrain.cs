using Broker.Background;
using Broker.Storage.Contracts;

namespace Broker.Webhooks;

/// <summary>Takes the entries of one kind out of the outbox.</summary>
internal interface IOutboxHandler
{
    OutboxKind Kind { get; }

    /// <summary>Handles entries, some perhaps for the second time: a broker may have been killed before it removed them.</summary>
    Task HandleAsync(IReadOnlyList<OutboxEntry> entries, CancellationToken ct);
}

/// <summary>Empties the outbox: at once after a commit that filled it, and every second for what a killed broker left. Brokers lease the rows that they take.</summary>
internal sealed class OutboxDrain(IOutbox outbox, IEnumerable<IOutboxHandler> handlers, IChanges changes, TimeProvider clock, ILogger<OutboxDrain> log)
    : SignalledService(Topics.Outbox, TimeSpan.FromSeconds(1), changes, clock, log)
{
    private const int Batch = 200;

    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);

    internal override Task<int> RunOnceAsync(CancellationToken ct) => DrainAsync(Batch, SomeAsync, ct);

    private async Task<int> SomeAsync(int most, CancellationToken ct)
    {
        var entries = await outbox.TakeAsync(most, Lease, ct);
        foreach (var same in entries.GroupBy(entry => entry.Kind)) await handlers.First(handler => handler.Kind == same.Key).HandleAsync([.. same], ct);
        if (entries.Count > 0) await outbox.RemoveAsync([.. entries.Select(entry => entry.Id)], ct);
        return entries.Count;
    }
}
