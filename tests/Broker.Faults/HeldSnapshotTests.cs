using System.Diagnostics;
using System.Globalization;
using Broker.Faults.Harness;
using Broker.Testing;
using Npgsql;
using Xunit;

namespace Broker.Faults;

/// <summary>Another session holds a snapshot, so that no dead row can be removed while steps come and go.</summary>
public sealed class HeldSnapshotTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_pace_is_kept_and_comes_back()
    {
        await using var postgres = DurableCluster.New();
        await using var site = await Site.OpenAsync(Database.Postgres, postgres);
        Assert.SkipWhen(postgres.ProcessId == 0, "What a server that was given takes of the processors is not known.");
        await using var load = await Load.StartAsync(site, Effort.Of(8, 24), overstayEvery: 0, Ct);
        load.Feed(300);
        await load.MoreAsync(Effort.Of(300, 3_000));
        var before = await MeasureAsync(postgres, site, load, Effort.Of(1, 30));
        Pace held;
        await using (var other = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(site.ConnectionString) { Pooling = false }.ConnectionString))
        {
            await other.OpenAsync(Ct);
            foreach (var statement in (string[])["BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT count(*) FROM step"])
            {
                await using var command = new NpgsqlCommand(statement, other);
                await command.ExecuteNonQueryAsync(Ct);
            }

            held = await MeasureAsync(postgres, site, load, Effort.Of(2, 120));
            var behind = await site.SqlAsync($"SELECT age(backend_xmin) FROM pg_stat_activity WHERE pid = {other.ProcessID}");
            var dead = await site.SqlAsync("SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'step'");
            Assert.True((int)behind! > 0, "the snapshot is old");
            Effort.Print(string.Create(CultureInfo.InvariantCulture, $"the snapshot is {behind} transactions old, {dead} dead rows of steps known"));
        }

        var after = await MeasureAsync(postgres, site, load, Effort.Of(1, 30));
        Effort.Print(string.Create(
            CultureInfo.InvariantCulture, $"before: {before}; under a held snapshot: {held} ({held.Steps / before.Steps:P0}); after: {after} ({after.Steps / before.Steps:P0})"));
        await load.EndAsync(Ct);
        Effort.Bound(held.Steps >= 0.8 * before.Steps, "80 % of the pace under a held snapshot");
        Effort.Bound(after.Steps >= 0.95 * before.Steps, "the pace is back after it");
    }

    private static async Task<Pace> MeasureAsync(PostgresCluster postgres, Site site, Load load, int seconds)
    {
        TimeSpan Taken() => postgres.ProcessorTime() + Process.GetProcessById(site.Broker.Id).TotalProcessorTime;
        var (taken, watch) = (Taken(), Stopwatch.StartNew());
        var rate = await load.RateAsync(TimeSpan.FromSeconds(seconds), Ct);
        return new(rate, (Taken() - taken).TotalMilliseconds / watch.Elapsed.TotalSeconds / rate);
    }

    /// <param name="Steps">Each second.</param>
    /// <param name="Cost">Milliseconds of a processor for a step, in the broker and its database.</param>
    private sealed record Pace(double Steps, double Cost)
    {
        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Steps:0} steps/s at {Cost:0.00} ms of processor time each");
    }
}
