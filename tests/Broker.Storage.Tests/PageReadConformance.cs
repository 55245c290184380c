using Broker.Storage.Tables;
using Broker.Testing;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Reads of pages: a few at a time, each with its own context, and none keeps a thread of the pool.</summary>
public abstract class PageReadConformance : StoreTests
{
    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(60);

    private protected PageReadConformance(ITestEngine engine)
        : base(engine)
    {
    }

    [Fact]
    public async Task At_most_two_reads_for_each_core_run_at_the_same_time()
    {
        var (running, most) = (0, 0);
        using var entered = new SemaphoreSlim(0);
        using var open = new ManualResetEventSlim();
        var reads = Enumerable.Range(0, 3 * PageReadLimit.AtOnce).Select(_ => Store.Pages.RunAsync(
            async db =>
            {
                InterlockedMax(ref most, Interlocked.Increment(ref running));
                entered.Release();
                await Task.Run(() => open.Wait(WaitLimit), Ct);
                Interlocked.Decrement(ref running);
                return await db.Logs.CountAsync(Ct);
            },
            Ct)).ToList();

        for (var i = 0; i < PageReadLimit.AtOnce; i++) Assert.True(await entered.WaitAsync(WaitLimit, Ct));
        Assert.False(await entered.WaitAsync(TimeSpan.Zero, Ct));
        open.Set();
        Assert.All(await Task.WhenAll(reads), count => Assert.Equal(0, count));
        Assert.Equal(PageReadLimit.AtOnce, most);
    }

    [Fact]
    public async Task A_read_whose_client_has_gone_is_not_begun()
    {
        using var gone = new CancellationTokenSource();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.Pages.RunAsync(
            _ => Task.FromException<int>(new InvalidOperationException("begun")), gone.Token));
    }

    [Fact]
    public async Task A_fault_of_a_read_is_its_callers_and_the_next_read_runs()
    {
        for (var i = 0; i < 3 * PageReadLimit.AtOnce; i++)
        {
            await Assert.ThrowsAsync<InvalidDataException>(() => Store.Pages.RunAsync(_ => Task.FromException<int>(new InvalidDataException()), Ct));
        }

        Assert.Equal(0, await Store.Pages.RunAsync(db => db.Logs.CountAsync(Ct), Ct));
    }

    [Fact]
    public async Task Reads_that_block_run_on_threads_of_their_own()
    {
        var (blocks, onPool) = await Store.Pages.RunAsync(db => Task.FromResult((db.Database.IsSqlite(), Thread.CurrentThread.IsThreadPoolThread)), Ct);
        Assert.Equal(!blocks, onPool);
    }

    private static void InterlockedMax(ref int most, int value)
    {
        for (var seen = Volatile.Read(ref most); seen < value; seen = Volatile.Read(ref most))
        {
            if (Interlocked.CompareExchange(ref most, value, seen) == seen) return;
        }
    }
}

public sealed class PostgresPageReadTests(PostgresCluster cluster) : PageReadConformance(new OnPostgres(cluster));

public sealed class SqlitePageReadTests() : PageReadConformance(new OnSqlite());
