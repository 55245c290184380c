using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Storage.Contracts;
using Broker.Storage.Health;
using Broker.Testing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>A database whose history changes under a running broker: what the broker remembers of the former history is not used.</summary>
public sealed class EpochTests(PostgresCluster cluster) : StoreTests(new OnPostgres(cluster))
{
    private const string Bump = "INSERT INTO counter (name, next) VALUES ('epoch', 1) ON CONFLICT (name) DO UPDATE SET next = counter.next + 1";

    private const string Rewrite = """UPDATE step SET result = '"NEW"' WHERE result = '"OLD"'""";

    private const string EndConnections = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";

    // Stands for a pooler in transaction mode.
    private DatabaseTarget Pooled => new(new NpgsqlConnectionStringBuilder(Target.Postgres) { MaxAutoPrepare = 0 }.ConnectionString, null);

    [Fact]
    public async Task A_result_of_a_former_history_is_not_handed_out()
    {
        await using var store = StoreHarness.Open(Target, Engine.Clock);
        await FinishFirstStepAsync(store);
        await Engine.ExecuteAsync(Rewrite);
        await Engine.ExecuteAsync(Bump);
        await Engine.ExecuteAsync(EndConnections);
        Assert.Equal("\"NEW\"", await HandedOutAsync(store));
    }

    [Fact]
    public async Task A_restore_that_is_announced_ends_what_brokers_remember()
    {
        await using var store = StoreHarness.Open(Target, Engine.Clock);
        await FinishFirstStepAsync(store);
        await Engine.ExecuteAsync(Rewrite);
        await using (var command = StoreHarness.Open(Target, Engine.Clock))
        {
            Assert.True(await command.Restoration.BeginEpochAsync(Ct) > 0);
            var first = await Engine.QueryAsync("SELECT next FROM counter WHERE name = 'epoch'");
            await command.Restoration.BeginEpochAsync(Ct);
            Assert.NotEqual(first, await Engine.QueryAsync("SELECT next FROM counter WHERE name = 'epoch'"));
        }

        Assert.Equal("\"NEW\"", await HandedOutAsync(store));
    }

    [Fact]
    public async Task Behind_a_pooler_each_transaction_is_checked()
    {
        await using var store = StoreHarness.Open(Pooled, Engine.Clock);
        await FinishFirstStepAsync(store);
        await Engine.ExecuteAsync(Rewrite);
        await Engine.ExecuteAsync(Bump);
        Assert.Equal("\"NEW\"", await HandedOutAsync(store));
    }

    [Fact]
    public async Task A_broker_that_drops_nothing_hands_out_the_former_result() =>
        Assert.Equal("\"OLD\"", (await PlantedAsync(services => services.AddSingleton(new StoreEpoch()))).HandedOut);

    [Fact]
    public async Task A_broker_without_the_epoch_check_hands_out_the_former_result() =>
        Assert.Equal(("\"OLD\"", 0), await PlantedAsync(InjectedGuardFaults.NoEpochCheck));

    [Fact]
    public async Task A_broker_that_keeps_results_over_an_epoch_hands_out_the_former_result() =>
        Assert.Equal(("\"OLD\"", 2), await PlantedAsync(InjectedGuardFaults.ResultsKept));

    [Fact]
    public async Task A_broker_without_the_epoch_check_fails_starts_after_the_id_counter_was_set_back()
    {
        await using var store = StoreHarness.Open(Pooled, Engine.Clock, amend: InjectedGuardFaults.NoEpochCheck);
        var fault = await Assert.ThrowsAnyAsync<Exception>(() => StartInTurnAsync(store, isPooled: true));
        Assert.Equal(PostgresErrorCodes.UniqueViolation, fault.FindInner<PostgresException>()?.SqlState);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Starts_do_not_fail_after_the_id_counter_was_set_back(bool isPooled)
    {
        await using var store = StoreHarness.Open(isPooled ? Pooled : Target, Engine.Clock);
        await StartInTurnAsync(store, isPooled);
    }

    // Two brokers after the counter was set back: the first one holds a block of ids that the other one reserves again.
    private async Task StartInTurnAsync(StoreHarness store, bool isPooled)
    {
        var definition = await DefineAsync(store);
        var first = await StartAtAsync(store, definition, "first");
        await using var peer = StoreHarness.Open(Target, Engine.Clock);
        await Engine.ExecuteAsync($"UPDATE counter SET next = {first.Id + 1} WHERE name = 'run'");
        if (!isPooled) await Engine.ExecuteAsync(EndConnections);
        var ids = new HashSet<long> { first.Id };

        // More ids than a lane tries one after the other when it finds them given away.
        for (var i = 6; i < 46; i++) Assert.True(ids.Add((await StartAtAsync(store, definition, $"store-{i}")).Id));
        for (var i = 0; i < 6; i++)
        {
            Assert.True(ids.Add((await StartAtAsync(peer, definition, $"peer-{i}")).Id));
            Assert.True(ids.Add((await StartAtAsync(store, definition, $"store-{i}")).Id));
        }
    }

    [Fact]
    public async Task After_a_restore_under_a_running_broker_nothing_of_what_was_lost_is_used()
    {
        await using var store = StoreHarness.Open(Target, Engine.Clock);
        var definition = await DefineAsync(store);
        await StartAtAsync(store, definition, "i");
        using var folder = new TempFolder();
        var dump = Path.Combine(folder.Path, "dump");
        await PostgresCluster.RunToolAsync("pg_dump", Target.Postgres!, "--format=custom", $"--file={dump}");

        // The restore loses the following: a result, a definition whose id and queue are assigned again, and a run.
        await FinishAsync(store, "\"OLD\"");
        await store.Definitions.RegisterAsync([Graph("lost", "x")], makeLatest: false, Ct);
        await store.Workers.RegisterAsync([Graph("lost", "x")], Ct);
        await StartAtAsync(store, definition, "lost");
        await PostgresCluster.RunToolAsync("pg_restore", Target.Postgres!, "--clean", "--if-exists", "--single-transaction", dump);
        await using (var other = StoreHarness.Open(Target, Engine.Clock))
        {
            await other.Definitions.RegisterAsync([Graph("other", "y")], makeLatest: false, Ct);
            await FinishAsync(other, "\"NEW\"");
        }

        var before = store.Epoch.Number;
        await Eventually.TrueAsync(async () => await TryAsync(() => store.Keys.ListAsync(Ct)) is null || store.Epoch.Number > before);
        await Eventually.TrueAsync(async () => await TryAsync(() => store.Keys.ListAsync(Ct)) is not null && store.Epoch.Number > before);
        Assert.Equal("\"NEW\"", await HandedOutAsync(store));
        Assert.Equal(StartVerdict.Started, (await store.Runs.StartAsync([new StartRequest(definition, "lost")], Ct))[0].Verdict);

        // Registered anew, under another id and queue than the one that was lost.
        var (worker, _) = await store.Workers.RegisterAsync([Graph("lost", "x")], Ct);
        await StartAtAsync(store, (await store.Definitions.RegisterAsync([Graph("lost", "x")], makeLatest: false, Ct)).Registered[0], "i");
        var claimed = Assert.Single(await store.Steps.ClaimAsync(new ClaimRequest(worker!, ClaimScope.ByRegistration, [], 1), Ct));
        Assert.Equal(("lost", "x"), (claimed.Run.Workflow, claimed.Step.Name));
    }

    [Fact]
    public async Task A_role_that_may_not_read_the_control_file_sees_the_rest()
    {
        await Engine.ExecuteAsync("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC; REVOKE EXECUTE ON FUNCTION pg_current_wal_lsn() FROM PUBLIC");
        var role = $"limited_{Guid.NewGuid():N}";
        await Engine.ExecuteAsync($"CREATE ROLE {role} LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {role}");
        await using (var store = StoreHarness.Open(new DatabaseTarget(PostgresCluster.As(Pooled.Postgres!, role, "x"), null), Engine.Clock))
        {
            await FinishFirstStepAsync(store);
            await Engine.ExecuteAsync(Rewrite);
            await Engine.ExecuteAsync(Bump);
            Assert.Equal("\"NEW\"", await HandedOutAsync(store));
        }

        await Engine.ExecuteAsync($"DROP OWNED BY {role}; DROP ROLE {role}");
    }

    [Fact]
    public async Task An_unchanged_history_keeps_what_is_remembered_over_new_connections()
    {
        await using var store = StoreHarness.Open(Target, Engine.Clock);
        await FinishFirstStepAsync(store);
        var before = store.Epoch.Number;
        await Engine.ExecuteAsync(Rewrite);
        await Engine.ExecuteAsync(EndConnections);
        Assert.Equal("\"OLD\"", await HandedOutAsync(store));
        Assert.Equal(before, store.Epoch.Number);
    }

    // As in Behind_a_pooler_each_transaction_is_checked, with a fault: what that test compares, and how far the epoch has gone.
    private async Task<(string? HandedOut, int Epochs)> PlantedAsync(Action<IServiceCollection> plant)
    {
        await using var store = StoreHarness.Open(Pooled, Engine.Clock, amend: plant);
        await FinishFirstStepAsync(store);
        var before = store.Epoch.Number;
        await Engine.ExecuteAsync(Rewrite);
        await Engine.ExecuteAsync(Bump);
        return (await HandedOutAsync(store), store.Epoch.Number - before);
    }

    private static WorkflowDefinition Graph(string name, params string[] steps) => ADefinition.Graph(name, steps);

    private static async Task<WorkflowDefinition> DefineAsync(StoreHarness store) =>
        (await store.Definitions.RegisterAsync([ADefinition.Jobs("w", "a", "b<-a")], makeLatest: false, Ct)).Registered[0];

    private static async Task<RunRef> StartAtAsync(StoreHarness store, WorkflowDefinition definition, string id)
    {
        var outcome = (await RetryAsync(() => store.Runs.StartAsync([new StartRequest(definition, id)], Ct)))[0];
        Assert.Equal(StartVerdict.Started, outcome.Verdict);
        return outcome.Run!;
    }

    private static async Task FinishFirstStepAsync(StoreHarness store)
    {
        await StartAtAsync(store, await DefineAsync(store), "i");
        await FinishAsync(store, "\"OLD\"");
    }

    private static async Task FinishAsync(StoreHarness store, string result)
    {
        await store.Waiting.PollAsync(Ct);
        var step = Assert.Single(await store.Steps.ClaimAsync(new ClaimRequest("w", ClaimScope.ByLabels, [], 1), Ct));
        Assert.Equal("a", step.Step.Name);
        await store.Steps.ReportAsync([new LeaseReport(step.Lease, new StepReport(ReportOutcome.Succeeded) { ResultJson = result })], Ct);
    }

    private static async Task<string?> HandedOutAsync(StoreHarness store)
    {
        await RetryAsync(async () =>
        {
            await store.Waiting.PollAsync(Ct);
            return "";
        });
        var step = Assert.Single(await Eventually.ValueAsync(async () =>
            await TryAsync(() => store.Steps.ClaimAsync(new ClaimRequest("w", ClaimScope.ByLabels, [], 1), Ct)) is { Count: > 0 } some ? some : null));
        Assert.Equal("b", step.Step.Name);
        return step.Upstream.Single(u => u.Step == "a").ResultJson;
    }

    // As a client that is answered 503.
    private static Task<T> RetryAsync<T>(Func<Task<T>> act)
        where T : class => Eventually.ValueAsync(() => TryAsync(act));

    private static async Task<T?> TryAsync<T>(Func<Task<T>> act)
        where T : class
    {
        try
        {
            return await act();
        }
        catch (Exception fault) when (fault.FindInner<StoreUnavailableException>() is not null
            || fault.FindInner<NpgsqlException>() is not (null or PostgresException { SqlState: PostgresErrorCodes.UniqueViolation }))
        {
            return null;
        }
    }
}
