using Broker.Core.Runs;
using Broker.Storage.Contracts;
using Broker.Storage.Stores;
using Broker.Storage.Tables;
using Broker.Testing;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Walks of a search on 20,600 runs: each goes along the index that is made for it.</summary>
public abstract class RunSearchPlanSuite
{
    private static readonly Dictionary<string, (RunFilter Filter, string Index)> Walks = new()
    {
        ["all runs"] = (RunFilter.All, "run"),
        ["runs of a workflow"] = (new() { Workflows = ["w7"] }, "workflow_created_at_id"),
        ["failed runs"] = (new() { Statuses = new HashSet<RunStatus> { RunStatus.Failed } }, "ix_run_failed_id"),
        ["failed runs of a workflow"] = (new() { Statuses = new HashSet<RunStatus> { RunStatus.Failed }, Workflows = ["w7"] }, "ix_run_failed"),
        ["errors"] = (new() { ErrorTexts = ["timeout"], Workflows = ["w7"] }, "ix_run_failed"),
        ["tagged runs"] = (new() { Tags = [new("k", ["v7"], IsNot: false)] }, "run_tag"),
        ["tagged runs of a workflow"] = (new() { Tags = [new("k", ["v7"], IsNot: false)], Workflows = ["w7"] }, "run_tag"),
    };

    public static TheoryData<string> Names => [.. Walks.Keys];

    private protected abstract StoreHarness Open();

    private protected abstract void Judge(string plan, string index);

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_search_walks_along_its_index(string name)
    {
        if (this is PostgresRunSearchPlanTests) PostgresCluster.Require();
        var ct = TestContext.Current.CancellationToken;
        await using var store = Open();
        await using var db = store.Engine.CreateContext();
        var (filter, index) = Walks[name];
        var conditions = RunConditions.Of(filter, TimeProvider.System.GetUtcNow())!;
        var (walks, isById, _) = await RunWalks.PlanAsync(db, new(filter, null, OldestFirst: false, 50), conditions, ct);
        var after = new RunListPlace(isById, Instants.FromMicros(15_000), 15_000);
        await using var command = Assert.Single(walks)(new RunOrder(isById, OldestFirst: false), after).Take(IRunSearch.Examined).Select(r => new { r.Id, r.CreatedAt, r.Inputs }).CreateDbCommand();
        command.CommandText = $"{(db.Database.IsSqlite() ? "EXPLAIN QUERY PLAN" : "EXPLAIN")} {command.CommandText}";
        await db.Database.OpenConnectionAsync(ct);
        var plan = new List<string>();
        await using (var reader = await command.ExecuteReaderAsync(ct))
        {
            while (await reader.ReadAsync(ct)) plan.Add(reader.GetString(reader.FieldCount - 1));
        }

        Judge(string.Join('\n', plan), index);
    }
}

public sealed class PostgresRunSearchPlanTests(LoadedPostgres database) : RunSearchPlanSuite, IClassFixture<LoadedPostgres>
{
    private protected override StoreHarness Open() => database.Open();

    // Few rows may be sorted after the index has found them.
    private protected override void Judge(string plan, string index)
    {
        Assert.DoesNotContain("Seq Scan", plan, StringComparison.Ordinal);
        Assert.Contains(index, plan, StringComparison.OrdinalIgnoreCase);
    }
}

public sealed class SqliteRunSearchPlanTests(LoadedSqlite database) : RunSearchPlanSuite, IClassFixture<LoadedSqlite>
{
    private protected override StoreHarness Open() => database.Open();

    private protected override void Judge(string plan, string index)
    {
        Assert.DoesNotContain("TEMP B-TREE", plan, StringComparison.Ordinal);
        Assert.Contains(index == "run" ? "PRIMARY KEY" : index, plan, StringComparison.OrdinalIgnoreCase);
    }
}
