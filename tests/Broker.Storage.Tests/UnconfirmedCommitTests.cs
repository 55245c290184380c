using Broker.Core.Runs;
using Broker.Storage.Contracts;
using Broker.Storage.Health;
using Broker.Testing;
using Npgsql;
using Xunit;
using Xunit.Sdk;

namespace Broker.Storage.Tests;

/// <summary>A server that waits for a synchronous standby which is not there: each commit is done on the primary alone, and none is acknowledged.</summary>
public sealed class UnconfirmedCommitTests : IAsyncLifetime
{
    private readonly PostgresCluster server = new() { Durable = true };
    private StoreHarness store = null!;
    private string database = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        PostgresCluster.Require();
        await using (await server.OpenAdminAsync()) Assert.SkipWhen(server.ProcessId == 0, "A server that was given is not ours to set up.");
        database = await server.CreateDatabaseAsync();

        store = StoreHarness.Open(ImpatientTarget(database), TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        if (store is not null) await store.DisposeAsync();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task A_commit_that_the_standby_has_not_confirmed_is_not_acknowledged_by_the_lanes()
    {
        var definition = (await store.Definitions.RegisterAsync([ADefinition.Jobs("w", "a", "b", "c")], makeLatest: false, Ct)).Registered[0];
        var run = (await store.Runs.StartAsync([new StartRequest(definition, "i")], Ct))[0].Run!;
        var held = Assert.Single(await store.Steps.ClaimAsync(Claim(1), Ct));
        await WaitForStandbyAsync("missing");

        await AssertUnknownAsync(() => store.Runs.StartAsync([new StartRequest(definition, "j")], Ct));
        await AssertUnknownAsync(() => store.Steps.HeartbeatAsync([held.Lease], Ct));
        await AssertUnknownAsync(() => store.Steps.ReportAsync([Success(held)], Ct));
        await AssertUnknownAsync(() => store.Steps.ClaimAsync(Claim(1), Ct));
        await AssertUnknownAsync(() => store.Runs.ControlAsync("w", "i", ControlCommand.Cancel, Ct));
        Assert.NotNull(await Probe.FaultAsync(Ct));

        // Each is on the primary: what is sent again counts once.
        await WaitForStandbyAsync("");
        Assert.Equal(StartVerdict.AlreadyExists, (await store.Runs.StartAsync([new StartRequest(definition, "j")], Ct))[0].Verdict);
        Assert.Equal(RunStatus.Cancelled, (await store.History.FindAsync(run.Workflow, run.InstanceId, run.Number, Ct))!.Status);
    }

    [Fact]
    public async Task A_commit_that_the_standby_has_not_confirmed_is_not_acknowledged_by_the_stores()
    {
        var definition = (await store.Definitions.RegisterAsync([ADefinition.Jobs("w", "a")], makeLatest: false, Ct)).Registered[0];
        var run = (await store.Runs.StartAsync([new StartRequest(definition, "i")], Ct))[0].Run!;
        await store.Workers.RegisterAsync("known", [], Ct);
        await store.Workers.SeenAsync("known", Ct);
        await WaitForStandbyAsync("missing");

        await AssertUnknownAsync(() => store.Definitions.RegisterAsync([ADefinition.Jobs("v", "a")], makeLatest: false, Ct));
        await AssertUnknownAsync(() => store.Definitions.RegisterAsync([definition], makeLatest: true, Ct));
        await AssertUnknownAsync(() => store.Workers.RegisterAsync("new", [], Ct));
        await AssertUnknownAsync(() => store.Workers.RegisterAsync("known", ["gpu"], Ct));
        await AssertUnknownAsync(() => store.Workers.FlushAsync(Ct));
        await AssertUnknownAsync(() => store.Logs.PushAsync(null, [new LogChunk("w", "a", 0, "\"x\"", 1, "stdout")], Ct));
        await AssertUnknownAsync(() => store.Events.TryLockQueueAsync(run.Id, "reader", TimeSpan.FromSeconds(9), Ct));
        await AssertUnknownAsync(() => store.Keys.AddAsync(new StoredKey("k", "n", new string('0', 64), ["read"], null, default, null, null), "by", Ct));
        await AssertUnknownAsync(() => store.Keys.RevokeAsync("k", "by", Ct));
        await AssertUnknownAsync(() => store.Audit.AddAsync(new([new AuditEntry(TimeProvider.System.GetUtcNow(), "k", "start", "w", "i", null)]), Ct));
        await AssertUnknownAsync(() => store.Repositories.PutAsync(new Repository("r", "u", [], new Dictionary<string, string>()), Ct));
    }

    [Theory]
    [InlineData("role", false)]
    [InlineData("database", false)]
    [InlineData("URL", false)]
    [InlineData("role", true)]
    [InlineData("database", true)]
    public async Task A_setting_that_hides_warnings_hides_no_commit_in_doubt(string setOn, bool isPooled)
    {
        var settings = new NpgsqlConnectionStringBuilder(database);
        var definition = (await store.Definitions.RegisterAsync([ADefinition.Jobs("w", "a", "b")], makeLatest: false, Ct)).Registered[0];
        await store.Runs.StartAsync([new StartRequest(definition, "i")], Ct);
        await store.Keys.AddAsync(new StoredKey("k", "n", new string('0', 64), ["read"], null, default, null, null), "by", Ct);
        if (setOn == "URL") settings.Options = "-c client_min_messages=error";
        else await SetAsync($"ALTER {setOn} {(setOn == "role" ? settings.Username : settings.Database)} SET client_min_messages = error");
        if (isPooled) settings.MaxAutoPrepare = 0;
        Assert.Equal("error", await SettingAsync(settings.ConnectionString));

        await using var quiet = StoreHarness.Open(ImpatientTarget(settings.ConnectionString), TimeProvider.System);
        await quiet.Runs.StartAsync([new StartRequest(definition, "first")], Ct);
        await WaitForStandbyAsync("missing");
        await Task.WhenAll(
            AssertUnknownAsync(() => quiet.Runs.StartAsync([new StartRequest(definition, "j")], Ct)),
            AssertUnknownAsync(() => quiet.Steps.ClaimAsync(Claim(1), Ct)),
            AssertUnknownAsync(() => Task.Run(() => quiet.Engine.ReserveIds(1), Ct)),
            AssertUnknownAsync(() => quiet.Definitions.RegisterAsync([ADefinition.Jobs("v", "a")], makeLatest: false, Ct)),
            AssertUnknownAsync(() => quiet.Repositories.PutAsync(new Repository("r", "u", [], new Dictionary<string, string>()), Ct)),
            AssertUnknownAsync(() => quiet.Workers.RegisterAsync("new", [], Ct)),
            AssertUnknownAsync(() => quiet.Keys.RevokeAsync("k", "by", Ct)));
        Assert.NotNull(await quiet.Commits.FaultAsync(Ct));
    }

    // Migrations run on connections that were opened before there were tables to ask about.
    [Fact]
    public async Task A_setting_that_hides_warnings_hides_no_commit_in_doubt_of_a_broker_that_made_the_tables()
    {
        var empty = await server.CreateEmptyDatabaseAsync();
        await SetAsync($"ALTER DATABASE {new NpgsqlConnectionStringBuilder(empty).Database} SET client_min_messages = error");
        await using var first = StoreHarness.Open(ImpatientTarget(empty), TimeProvider.System);
        await first.Migrator.MigrateAsync(Ct);
        await WaitForStandbyAsync("missing");
        await AssertUnknownAsync(() => first.Workers.RegisterAsync("new", [], Ct));
    }

    [Fact]
    public async Task A_broker_that_ignores_the_warning_acknowledges_what_is_in_doubt()
    {
        await using var deaf = StoreHarness.Open(ImpatientTarget(database), TimeProvider.System, amend: InjectedGuardFaults.NoticeIgnored);
        var definition = (await deaf.Definitions.RegisterAsync([ADefinition.Jobs("w", "a")], makeLatest: false, Ct)).Registered[0];
        await deaf.Runs.StartAsync([new StartRequest(definition, "i")], Ct);
        await WaitForStandbyAsync("missing");

        // The checks of the two tests above fail.
        await Assert.ThrowsAnyAsync<XunitException>(() => AssertUnknownAsync(() => deaf.Runs.StartAsync([new StartRequest(definition, "j")], Ct)));
        await Assert.ThrowsAnyAsync<XunitException>(() => AssertUnknownAsync(() => deaf.Steps.ClaimAsync(Claim(1), Ct)));
        await Assert.ThrowsAnyAsync<XunitException>(() => AssertUnknownAsync(() => deaf.Workers.RegisterAsync("new", [], Ct)));
    }

    [Fact]
    public async Task Audit_entries_are_stored_once_and_kept_until_the_standby_confirms_them()
    {
        var batch = new AuditBatch([new AuditEntry(TimeProvider.System.GetUtcNow(), "k", "start", "w", "i", null)]);
        await WaitForStandbyAsync("missing");
        for (var round = 0; round < 3; round++) await AssertUnknownAsync(() => store.Audit.AddAsync(batch, Ct));
        await WaitForStandbyAsync("");
        await store.Audit.AddAsync(batch, Ct);
        Assert.Single((await store.Audit.ReadAsync(new(), 10, Ct)).Rows);
    }

    [Fact]
    public async Task Audit_entries_whose_commit_is_still_waiting_are_waited_for()
    {
        await WaitForStandbyAsync("missing");
        await using var admin = await server.OpenAdminAsync();
        await using var patient = StoreHarness.Open(new DatabaseTarget(database, null), TimeProvider.System);
        var batch = new AuditBatch([new AuditEntry(TimeProvider.System.GetUtcNow(), "k", "start", "w", "i", null)]);
        var first = patient.Audit.AddAsync(batch, Ct);
        await Eventually.TrueAsync(async () => await WaitingAsync(admin) == 1);

        // As the broker does after it has lost the connection, while the server still has the transaction.
        var second = patient.Audit.AddAsync(batch, Ct);
        await Eventually.TrueAsync(async () =>
        {
            await using var blocked = new NpgsqlCommand("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted", admin);
            return (long)(await blocked.ExecuteScalarAsync(Ct))! == 1;
        });
        await WaitForStandbyAsync("");
        await Task.WhenAll(first, second);
        Assert.Single((await patient.Audit.ReadAsync(new(), 10, Ct)).Rows);
    }

    [Fact]
    public async Task A_repeated_start_is_not_acknowledged_because_the_primary_has_it()
    {
        var definition = (await store.Definitions.RegisterAsync([ADefinition.Jobs("w", "a")], makeLatest: false, Ct)).Registered[0];
        await store.Runs.StartAsync([new StartRequest(definition, "first")], Ct);
        await WaitForStandbyAsync("missing");
        var keyed = new StartRequest(definition, "i") { Key = new StartKey("key", "request") };
        var other = ADefinition.Jobs("v", "a");
        for (var sent = 0; sent < 2; sent++)
        {
            await AssertUnknownAsync(() => store.Runs.StartAsync([keyed], Ct));
            await AssertUnknownAsync(() => store.Runs.StartAsync([new StartRequest(definition, "j")], Ct));
            await AssertUnknownAsync(() => store.Definitions.RegisterAsync([other], makeLatest: false, Ct));
            await AssertUnknownAsync(() => store.Steps.ClaimAsync(Claim(1) with { ClaimId = "claim" }, Ct));
            await AssertUnknownAsync(() => store.Runs.ControlAsync("w", "i", ControlCommand.Pause, Ct));
        }

        await WaitForStandbyAsync("");
        Assert.True((await store.Runs.StartAsync([keyed], Ct))[0].Replayed);
    }

    [Fact]
    public async Task Readiness_probes_commits_while_standbys_are_set_up_and_recovers()
    {
        Assert.Null(await Probe.FaultAsync(Ct));
        await WaitForStandbyAsync("missing");
        await Eventually.TrueAsync(async () => await Probe.FaultAsync(Ct) is not null);
        await WaitForStandbyAsync("");
        await Eventually.TrueAsync(async () => await Probe.FaultAsync(Ct) is null);
    }

    [Fact]
    public async Task A_connection_that_is_lost_during_the_commit_leaves_the_outcome_unknown()
    {
        var definition = (await store.Definitions.RegisterAsync([ADefinition.Jobs("w", "a")], makeLatest: false, Ct)).Registered[0];
        await store.Runs.StartAsync([new StartRequest(definition, "first")], Ct);
        await WaitForStandbyAsync("missing");
        await using var admin = await server.OpenAdminAsync();
        var start = store.Runs.StartAsync([new StartRequest(definition, "i")], Ct);
        await TerminateWaitingAsync(admin);
        await Assert.ThrowsAsync<OutcomeUnknownException>(() => start);
        var save = store.Keys.AddAsync(new StoredKey("k", "n", new string('0', 64), ["read"], null, default, null, null), "by", Ct);
        await TerminateWaitingAsync(admin);
        await AssertUnknownAsync(() => save);
    }

    // The driver cancels a COMMIT that waits longer than this.
    private static DatabaseTarget ImpatientTarget(string connectionString) =>
        new(new NpgsqlConnectionStringBuilder(connectionString) { CommandTimeout = 1 }.ConnectionString, null);

    private CommitProbe Probe => store.Commits;

    private static ClaimRequest Claim(int count) => new("w", ClaimScope.ByLabels, [], count);

    private static LeaseReport Success(Assignment step) => new(step.Lease, new StepReport(ReportOutcome.Succeeded) { ResultJson = "1" });

    private static async Task AssertUnknownAsync(Func<Task> write)
    {
        var fault = await Assert.ThrowsAnyAsync<Exception>(write);
        Assert.True(fault.FindInner<OutcomeUnknownException>() is not null, fault.ToString());
    }

    private static Task TerminateWaitingAsync(NpgsqlConnection admin) => Eventually.TrueAsync(async () =>
    {
        await using var command = new NpgsqlCommand("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'", admin);
        return (long)(await command.ExecuteScalarAsync(Ct))! > 0;
    });

    private static async Task<long> WaitingAsync(NpgsqlConnection admin)
    {
        await using var command = new NpgsqlCommand("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'", admin);
        return (long)(await command.ExecuteScalarAsync(Ct))!;
    }

    private async Task WaitForStandbyAsync(string name)
    {
        await using var admin = await server.OpenAdminAsync();
        await ExecuteAsync(admin, "SET synchronous_commit = off");
        await ExecuteAsync(admin, $"ALTER SYSTEM SET synchronous_standby_names = '{name}'");
        await ExecuteAsync(admin, "SELECT pg_reload_conf()");
        await Eventually.TrueAsync(async () =>
        {
            await using var shown = new NpgsqlCommand("SHOW synchronous_standby_names", admin);
            return (string)(await shown.ExecuteScalarAsync(Ct))! == name;
        });
    }

    private async Task SetAsync(string sql)
    {
        await using var admin = await server.OpenAdminAsync();
        await ExecuteAsync(admin, sql);
    }

    private static async Task<string> SettingAsync(string connectionString)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(Ct);
        await using var shown = new NpgsqlCommand("SHOW client_min_messages", connection);
        return (string)(await shown.ExecuteScalarAsync(Ct))!;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Ct);
    }
}
