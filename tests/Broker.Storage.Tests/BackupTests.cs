using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Storage.Contracts;
using Broker.Storage.Sqlite;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>A copy that is taken while runs are in flight is whole: what it holds goes on from there.</summary>
public abstract class BackupSuite : IAsyncLifetime
{
    private const int Instances = 60;

    // Short: an expired lease counts until it is collected.
    private const int LeaseSecs = 2;

    private const string Retries = """ "command": "true", "retry_policy": {"max_retries": 9, "backoff": "None"} """;

    private static WorkflowDefinition Definition => ADefinition.Of($$"""
        {"workflow_id": "d", "jobs": {"name": "d", "trigger": "t"}, "steps": {
          "a": {"depends_on": [], {{Retries}} }, "b": {"depends_on": ["a"], {{Retries}} }, "c": {"depends_on": ["a"], {{Retries}} },
          "e": {"depends_on": ["b", "c"], {{Retries}} } } }
        """);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private protected abstract Task<DatabaseTarget> CreateAsync();

    /// <summary>Takes the copy and brings it back as another database.</summary>
    private protected abstract Task<DatabaseTarget> CopyAsync();

    public virtual ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public abstract ValueTask DisposeAsync();

    [Fact]
    public async Task Runs_in_flight_finish_on_a_restored_copy()
    {
        await using var store = StoreHarness.Open(await CreateAsync(), TimeProvider.System);
        await store.Migrator.MigrateAsync(Ct);
        var definition = (await store.Definitions.RegisterAsync([Definition], makeLatest: false, Ct)).Registered[0];
        await store.Runs.StartAsync([.. Enumerable.Range(0, Instances).Select(i => new StartRequest(definition, $"i{i}") { InputsJson = $"{{\"n\":{i}.0}}" })], Ct);

        // Work goes on until the copy is there: what it holds is a moment of a busy broker.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var busy = new TaskCompletionSource();
        var working = Task.Run(
            async () =>
            {
                for (var done = 0; !stop.IsCancellationRequested; done++)
                {
                    if (done == Instances) busy.SetResult();
                    if (await ClaimAsync(store) is not { } step) return;
                    if (done % 7 == 3) continue;
                    await ReportAsync(store, step);
                }
            },
            Ct);
        await Task.WhenAny(busy.Task, working);
        var held = (await ClaimAsync(store))!;
        var copied = await CopyAsync();
        await stop.CancelAsync();
        await working;

        await using var restored = StoreHarness.Open(copied, TimeProvider.System);
        await restored.Migrator.CheckAsync(Ct);
        Assert.Equal(Instances, (await restored.History.ListAsync(null, Ct)).Count);

        // A worker that goes on after the restore reports under the lease that it has had before.
        Assert.Equal(ReportVerdict.Accepted, await ReportAsync(restored, held));
        await Eventually.TrueAsync(
            async () =>
            {
                while (await ClaimAsync(restored) is { } step) Assert.Equal(ReportVerdict.Accepted, await ReportAsync(restored, step));
                await restored.Runs.ExpireLeasesAsync(1000, Ct);
                return (await restored.History.ListAsync(null, Ct)).All(r => r.IsTerminal);
            },
            TimeSpan.FromMinutes(2));

        foreach (var run in await restored.History.ListAsync(null, Ct))
        {
            var view = (await restored.History.FindAsync("d", run.Ref.InstanceId, null, Ct))!;
            Assert.Equal((RunStatus.Succeeded, 4), (view.Status, view.Steps.Count));
            Assert.Equal($"{{\"n\":{run.Ref.InstanceId[1..]}.0}}", view.InputsJson);
        }

        var further = await restored.Runs.StartAsync([new StartRequest(definition, "after")], Ct);
        Assert.Equal(StartVerdict.Started, further[0].Verdict);
    }

    private static async Task<Assignment?> ClaimAsync(StoreHarness store) =>
        (await store.Steps.ClaimAsync(new ClaimRequest("w", ClaimScope.ByLabels, [], 1, LeaseSecs), Ct)).SingleOrDefault();

    private static async Task<ReportVerdict> ReportAsync(StoreHarness store, Assignment step) =>
        (await store.Steps.ReportAsync([new LeaseReport(step.Lease, new StepReport(ReportOutcome.Succeeded) { ResultJson = "{}" })], Ct))[0];
}

/// <summary>By <c>pg_dump</c> and <c>pg_restore</c>, as an operator does it.</summary>
public sealed class PostgresBackupTests(PostgresCluster cluster) : BackupSuite
{
    private readonly TempFolder folder = new();
    private readonly List<string> databases = [];

    private protected override async Task<DatabaseTarget> CreateAsync()
    {
        PostgresCluster.Require();
        databases.Add(await cluster.CreateDatabaseAsync());
        return new(databases[0], null);
    }

    private protected override async Task<DatabaseTarget> CopyAsync()
    {
        var file = Path.Combine(folder.Path, "broker.dump");
        await PostgresCluster.RunToolAsync("pg_dump", databases[0], "--format=custom", $"--file={file}");
        databases.Add(await cluster.CreateEmptyDatabaseAsync());
        await PostgresCluster.RunToolAsync("pg_restore", databases[1], "--exit-on-error", "--no-owner", file);
        return new(databases[1], null);
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (var database in databases) await cluster.DropAsync(database);
        folder.Dispose();
        GC.SuppressFinalize(this);
    }
}

/// <summary>By the copy that <c>broker backup</c> makes.</summary>
public sealed class SqliteBackupTests : BackupSuite
{
    private readonly SqliteFile file = new();
    private readonly SqliteFile copy = new();

    private protected override Task<DatabaseTarget> CreateAsync() => Task.FromResult(new DatabaseTarget(null, file.Path));

    private protected override async Task<DatabaseTarget> CopyAsync()
    {
        Assert.True(await SqliteBackup.CopyAsync(file.Path, copy.Path, TestContext.Current.CancellationToken) > 0);
        return new(null, copy.Path);
    }

    [Fact]
    public async Task A_backup_replaces_no_file_and_makes_no_database()
    {
        var ct = TestContext.Current.CancellationToken;
        await Assert.ThrowsAsync<IOException>(() => SqliteBackup.CopyAsync(file.Path, copy.Path, ct));
        Assert.False(File.Exists(file.Path));
        await File.WriteAllTextAsync(file.Path, "", ct);
        await File.WriteAllTextAsync(copy.Path, "precious", ct);
        await Assert.ThrowsAsync<IOException>(() => SqliteBackup.CopyAsync(file.Path, copy.Path, ct));
        Assert.Equal("precious", await File.ReadAllTextAsync(copy.Path, ct));
    }

    public override ValueTask DisposeAsync()
    {
        file.Dispose();
        copy.Dispose();
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}
