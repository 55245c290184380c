using System.Globalization;
using Broker.Faults.Harness;
using Npgsql;
using Xunit;

namespace Broker.Faults;

/// <summary>Somebody holds a snapshot, so that no dead row can be removed while steps come and go.</summary>
public sealed class HeldSnapshotTests(DurableCluster cluster)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_pace_is_kept_and_comes_back()
    {
        Effort.RequireLong("Its figures want the machine to themselves.");
        await using var site = await Site.OpenAsync(Database.Postgres, cluster.Postgres);
        await using var load = await Load.StartAsync(site, Effort.Of(8, 24), overstayEvery: 0, Ct);
        load.Feed(300);
        await load.MoreAsync(300);
        var baseline = await load.RateAsync(TimeSpan.FromSeconds(Effort.Of(1, 30)), Ct);
        double held;
        await using (var other = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(site.ConnectionString) { Pooling = false }.ConnectionString))
        {
            await other.OpenAsync(Ct);
            foreach (var statement in (string[])["BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT count(*) FROM step"])
            {
                await using var command = new NpgsqlCommand(statement, other);
                await command.ExecuteNonQueryAsync(Ct);
            }

            held = await load.RateAsync(TimeSpan.FromSeconds(Effort.Of(2, 120)), Ct);
            var behind = await site.SqlAsync($"SELECT age(backend_xmin) FROM pg_stat_activity WHERE pid = {other.ProcessID}");
            var dead = await site.SqlAsync("SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'step'");
            Assert.True((int)behind! > 0, "the snapshot is old");
            Effort.Print(string.Create(CultureInfo.InvariantCulture, $"the snapshot is {behind} transactions old, {dead} dead rows of steps known"));
        }

        var after = await load.RateAsync(TimeSpan.FromSeconds(Effort.Of(1, 30)), Ct);
        Effort.Print(string.Create(
            CultureInfo.InvariantCulture, $"{baseline:0} steps/s before, {held:0} ({held / baseline:P0}) under a held snapshot, {after:0} ({after / baseline:P0}) after"));
        await load.EndAsync(Ct);
        Effort.Promise(held >= 0.8 * baseline, "80 % of the pace under a held snapshot");
        Effort.Promise(after >= 0.95 * baseline, "the pace is back after it");
    }
}
