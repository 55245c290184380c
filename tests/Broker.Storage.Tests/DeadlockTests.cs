using Broker.Core.Runs;
using Broker.Testing;
using Npgsql;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>A transaction that PostgreSQL ends to resolve a deadlock is tried again, and its lane goes on, whatever it was just preparing.</summary>
public sealed class DeadlockTests(PostgresCluster cluster) : StoreTests(new OnPostgres(cluster))
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_lane_goes_on_after_a_deadlock(int roundsBefore)
    {
        var definition = await RegisterAsync(ADefinition.Jobs("w", "a", "b"));
        for (var round = 0; round < roundsBefore; round++)
        {
            await HoldExpiredAsync(definition, $"before-{round}");
            Assert.Equal(2, await Store.Runs.ExpireLeasesAsync(10, Ct));
        }

        var run = await HoldExpiredAsync(definition, "i");
        await using var other = new NpgsqlConnection(Target.Postgres);
        await other.OpenAsync(Ct);
        await ExecuteAsync(other, $"SET deadlock_timeout = '60s'; BEGIN; SELECT FROM step WHERE run_id = {run.Id} AND idx = 1 FOR UPDATE");

        // It holds the run and the first step, and waits for the second; the other one then waits for the run.
        var expiring = Store.Runs.ExpireLeasesAsync(10, Ct);
        await Eventually.TrueAsync(async () => await Engine.QueryAsync("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") is { Count: 1 });
        await ExecuteAsync(other, $"SELECT FROM run WHERE id = {run.Id} FOR UPDATE; ROLLBACK");
        Assert.Equal(2, await expiring);
        Assert.Equal(["1"], await Engine.QueryAsync("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"));
    }

    private async Task<RunRef> HoldExpiredAsync(Core.Definitions.WorkflowDefinition definition, string id)
    {
        var run = await StartAsync(definition, id);
        Assert.Equal(2, (await Store.Steps.ClaimAsync(new ClaimRequest("w", ClaimScope.ByLabels, [], 2, 10), Ct)).Count);
        await Engine.PassAsync(TimeSpan.FromSeconds(11));
        return run;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Ct);
    }
}
