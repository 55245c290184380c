using Broker.Storage.Contracts;
using Broker.Storage.Health;

namespace Broker.Storage.Schema;

internal sealed class StoreReadiness(Migrator migrator, StoreHealth health, CommitProbe commits) : IStoreHealth
{
    public async Task<string?> FaultAsync(CancellationToken ct) =>
        health.CannotWrite ? "The database cannot write." : await migrator.FaultAsync(ct) ?? await commits.FaultAsync(ct);
}
