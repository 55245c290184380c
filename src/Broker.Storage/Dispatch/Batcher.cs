using Broker.Storage.Dispatch.Commands;
using Microsoft.Extensions.Logging;

namespace Broker.Storage.Dispatch;

/// <summary>
/// The lanes of this broker. Where the engine works on several transactions at once, claims have lanes of their own: they decide nothing and
/// hardly ever wait for a lock, so one of their transactions and one of all the others get on side by side. Measured on two cores: a sixth more
/// steps a second with 32 workers, a ninth with 128. Two turns for all alike halve the batches: an eighth fewer.
/// </summary>
internal sealed class Batcher : IAsyncDisposable
{
    private readonly BatchQueue changes;
    private readonly BatchQueue claims;

    public Batcher(IDatabaseEngine engine, BatchServices services, ILogger<Batcher> log)
    {
        changes = new BatchQueue(engine, services, log);
        claims = engine.HasClaimLoops ? new BatchQueue(engine, services, log) : changes;
    }

    // Not given up with the caller: once it is waiting, it may already be part of a commit.
    public Task<T> RunAsync<T>(StoreCommand<T> command, CancellationToken ct) =>
        !ct.IsCancellationRequested && QueueFor(command).TryAdd(command) ? command.Done : RunWhenThereIsRoomAsync(command, ct);

    private async Task<T> RunWhenThereIsRoomAsync<T>(StoreCommand<T> command, CancellationToken ct)
    {
        await QueueFor(command).AddAsync(command, ct);
        return await command.Done;
    }

    public async Task<IReadOnlyList<T>> RunAsync<T>(IReadOnlyList<StoreCommand<T>> commands, CancellationToken ct)
    {
        await AddAsync(commands, ct);
        return await Task.WhenAll(commands.Select(w => w.Done));
    }

    /// <summary>What one request asks for: one transaction for it, up to as many as a lane takes together.</summary>
    public async Task AddAsync(IReadOnlyList<StoreCommand> commands, CancellationToken ct)
    {
        for (var first = 0; first < commands.Count; first += BatchLoop.MostTogether)
        {
            var end = Math.Min(commands.Count, first + BatchLoop.MostTogether);
            for (var i = first + 1; i < end; i++) commands[i - 1].Next = commands[i];
            await QueueFor(commands[first]).AddAsync(commands[first], ct);
        }
    }

    // A claim that comes after reports goes with them.
    private BatchQueue QueueFor(StoreCommand first) => first is ClaimCommand ? claims : changes;

    public async ValueTask DisposeAsync()
    {
        await changes.DisposeAsync();
        if (claims != changes) await claims.DisposeAsync();
    }
}
