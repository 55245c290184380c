using Broker.Core.Runs;
using Broker.Storage.Contracts;
using Broker.Testing;
using Npgsql;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>
/// A transaction that PostgreSQL ends to resolve a deadlock is retried, and its batch loop goes on, whatever it was just preparing. Transactions that
/// lock in one order do not come to that.
/// </summary>
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
        await OneWaitsForALockAsync();
        await ExecuteAsync(other, $"SELECT FROM run WHERE id = {run.Id} FOR UPDATE; ROLLBACK");
        Assert.Equal(2, await expiring);

        // PostgreSQL publishes its counters up to a second late.
        await Eventually.TrueAsync(async () =>
            await Engine.QueryAsync("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") is ["1"]);
    }

    [Fact]
    public async Task Every_append_locks_streams_in_order_of_run()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("w", "a"));
        var first = await StartStreamingAsync(definition, "first");
        var second = await StartStreamingAsync(definition, "second");
        var steps = await Store.Steps.ClaimAsync(new ClaimRequest("w", ClaimScope.ByLabels, [], 2), Ct);
        var reported = Assert.Single(steps, step => step.Run.Id == second.Id);
        await Store.Steps.ReportAsync([new LeaseReport(Assert.Single(steps, step => step.Run.Id == first.Id).Lease, StepReport.Returned)], Ct);
        await using var other = new NpgsqlConnection(Target.Postgres);
        await other.OpenAsync(Ct);
        await ExecuteAsync(other, $"BEGIN; SELECT FROM stream WHERE run_id = {first.Id} FOR UPDATE");

        // The report appends to the second run's stream, the step that is handed out with it to the first one's.
        var published = new PublishedEvent("T", "{}", Internal: false);
        var reporting = Store.Steps.ReportAsync(
            [new LeaseReport(reported.Lease, new StepReport(ReportOutcome.Succeeded) { ResultJson = "1", Events = [published] })],
            new ClaimRequest("w", ClaimScope.ByLabels, [], 1), Ct);
        await OneWaitsForALockAsync();
        await ExecuteAsync(other, $"SELECT FROM stream WHERE run_id = {second.Id} FOR UPDATE NOWAIT; ROLLBACK");

        Assert.Equal(first.Id, Assert.Single((await reporting).Claimed).Run.Id);
        var events = await Store.Events.ReadAsync(second.Id, -1, 10, Ct);
        Assert.Equal(Enumerable.Range(0, events.Count).Select(n => (long)n), events.Select(e => e.Sequence));
        Assert.Contains(events, e => e.Type == "T");
    }

    private Task OneWaitsForALockAsync() => Eventually.TrueAsync(async () =>
        await Engine.QueryAsync("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") is { Count: 1 });

    private async Task<RunRef> StartStreamingAsync(Core.Definitions.WorkflowDefinition definition, string id) =>
        (await Store.Runs.StartAsync([new StartRequest(definition, id) { Streams = true }], Ct))[0].Run!;

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
