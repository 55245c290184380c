using Broker.Core.Runs;
using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>The log of a job holds so much in a run, then one line that says so.</summary>
public abstract class LogLimitConformance : StoreTests
{
    private const int Limit = 1000;

    private static readonly TimeSpan Month = TimeSpan.FromDays(30);

    private protected LogLimitConformance(ITestEngine engine)
        : base(engine)
    {
    }

    // 100 bytes with the quotes.
    private static LogChunk Chunk(long sequence, string step = "s") => new("w", step, sequence, $"\"{new string('x', 98)}\"", 1, "stdout");

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(30)]
    public async Task A_log_is_cut_at_its_limit_with_one_line_that_says_so(int together)
    {
        var store = OpenWith(new LogLimit(Limit));
        foreach (var push in Enumerable.Range(0, 30).Chunk(together)) await store.Logs.PushAsync(null, [.. push.Select(i => Chunk(i))], Ct);

        var lines = await store.Logs.ReadAsync("w", "s", 0, 100, Ct);
        Assert.Equal(Enumerable.Range(0, 11), lines.Select(l => (int)l.Sequence));
        Assert.All(lines.Take(10), l => Assert.Equal(100, l.MessageJson.Length));
        Assert.Contains("cut here: it has reached 1000 bytes (Broker:Limits:LogBytes)", lines[10].MessageJson, StringComparison.Ordinal);
        Assert.Equal(("warn", "stderr"), (lines[10].Level, lines[10].Stream));
    }

    [Fact]
    public async Task A_log_that_just_fits_is_not_cut_and_others_are_not_charged()
    {
        var store = OpenWith(new LogLimit(Limit));
        await store.Logs.PushAsync(null, [.. Enumerable.Range(0, 10).SelectMany(i => new[] { Chunk(i), Chunk(i, "t") })], Ct);
        Assert.Equal(10, (await store.Logs.ReadAsync("w", "s", 0, 100, Ct)).Count);
        await store.Logs.PushAsync(null, [Chunk(10)], Ct);
        Assert.Equal(11, (await store.Logs.ReadAsync("w", "s", 0, 100, Ct)).Count);
        Assert.Equal(10, (await store.Logs.ReadAsync("w", "t", 0, 100, Ct)).Count);
    }

    [Fact]
    public async Task Many_small_lines_count_what_their_rows_take()
    {
        var store = OpenWith(new LogLimit(Limit));
        await store.Logs.PushAsync(null, [.. Enumerable.Range(0, 100).Select(i => Chunk(i) with { DataJson = "\"\"" })], Ct);
        Assert.Equal((1000 / 64) + 1, (await store.Logs.ReadAsync("w", "s", 0, 100, Ct)).Count);
    }

    [Fact]
    public async Task Zero_is_no_limit()
    {
        var store = OpenWith(new LogLimit(0));
        await store.Logs.PushAsync(null, [.. Enumerable.Range(0, 40).Select(i => Chunk(i))], Ct);
        Assert.Equal(40, (await store.Logs.ReadAsync("w", "s", 0, 100, Ct)).Count);
    }

    [Fact]
    public async Task Brokers_that_push_at_once_cut_once_and_store_no_more()
    {
        var stores = (StoreHarness[])[OpenWith(new LogLimit(Limit)), Engine.IsShared ? OpenWith(new LogLimit(Limit)) : null!];
        await Task.WhenAll(Enumerable.Range(0, 8).Select(w => Task.Run(
            async () =>
            {
                for (var i = 0; i < 10; i++) await (w % 2 == 1 && stores[1] is { } peer ? peer : stores[0]).Logs.PushAsync(null, [Chunk(i), Chunk(i)], Ct);
            },
            Ct)));

        var lines = await stores[0].Logs.ReadAsync("w", "s", 0, 1000, Ct);
        Assert.Equal(11, lines.Count);
        Assert.Contains("cut here", lines[^1].MessageJson, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_run_has_a_limit_of_its_own_and_lines_of_reports_count()
    {
        var store = OpenWith(new LogLimit(Limit));
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        foreach (var instance in (string[])["i", "j"])
        {
            var run = await StartAsync(definition, instance);
            var step = (await ClaimAsync())!;
            await store.Logs.PushAsync(step.Lease, [.. Enumerable.Range(0, 8).Select(i => new LogChunk("d", "a", i, $"\"{new string('x', 98)}\"", 1, "stdout"))], Ct);
            LogLine[] lines = [.. Enumerable.Range(0, 6).Select(_ => new LogLine("info", new string('y', 98)))];
            Assert.Equal([ReportVerdict.Accepted], await store.Steps.ReportAsync([new LeaseReport(step.Lease, new(ReportOutcome.Succeeded) { ResultJson = "1", Logs = lines })], Ct));
            await store.Logs.PushAsync(step.Lease, [new LogChunk("d", "a", 9, "\"late\"", 1, "stdout")], Ct);

            var kept = (await store.History.LogsAsync(run.Id, null, null, null, false, 100, Ct)).Rows;
            Assert.Equal(11, kept.Count);
            Assert.Single(kept, l => l.MessageJson.Contains("cut here", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Sizes_go_with_their_runs_and_stray_lines_make_room_when_they_go()
    {
        var store = OpenWith(new LogLimit(Limit));
        await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a")), "i");
        var step = (await ClaimAsync())!;
        await store.Logs.PushAsync(step.Lease, [Chunk(0)], Ct);
        await SucceedAsync(step);
        await store.Logs.PushAsync(null, [.. Enumerable.Range(0, 20).Select(i => Chunk(i))], Ct);
        Assert.Equal(["2"], await Engine.QueryAsync("SELECT count(*) FROM log_size"));
        await Engine.PassAsync(Month + TimeSpan.FromMinutes(1));

        Assert.Equal(4, await store.Logs.PruneStrayAsync(Month, 4, Ct));
        await store.Logs.PushAsync(null, [.. Enumerable.Range(20, 20).Select(i => Chunk(i))], Ct);
        Assert.Equal([4, 5, 6, 7, 8, 9, 10, 20, 21], (await store.Logs.ReadAsync("w", "s", 0, 100, Ct)).Where(l => l.RunId is null).Select(l => (int)l.Sequence).Take(9));

        await Engine.PassAsync(Month + TimeSpan.FromMinutes(1));
        while (await store.Logs.PruneStrayAsync(Month, 100, Ct) > 0)
        {
        }

        Assert.Equal(["1"], await Engine.QueryAsync("SELECT count(*) FROM log_size"));
        while (!(await store.Retention.RemoveEndedAsync(RetentionTimes.Of(Month), Ct)).Finished)
        {
        }

        Assert.Equal(["0"], await Engine.QueryAsync("SELECT count(*) FROM log_size"));
        Assert.Equal(["0"], await Engine.QueryAsync("SELECT count(*) FROM log"));
    }
}

public sealed class PostgresLogLimitTests(PostgresCluster cluster) : LogLimitConformance(new OnPostgres(cluster));

public sealed class SqliteLogLimitTests() : LogLimitConformance(new OnSqlite());
