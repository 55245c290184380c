using Broker.Storage.Tables;

namespace Broker.Storage.Postgres;

/// <summary>For an engine whose reads wait without a thread: a semaphore.</summary>
internal sealed class PooledReads(IDatabase database) : IPageReads, IDisposable
{
    private readonly SemaphoreSlim turns = new(PageReadLimit.AtOnce);

    public async Task<T> RunAsync<T>(Func<BrokerDb, Task<T>> read, CancellationToken ct)
    {
        await turns.WaitAsync(ct);
        try
        {
            await using var db = database.CreateContext();
            return await read(db);
        }
        finally
        {
            turns.Release();
        }
    }

    public void Dispose() => turns.Dispose();
}
