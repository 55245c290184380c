using System.Globalization;
using System.Text.RegularExpressions;
using Broker.Storage.Matching;
using Broker.Storage.Postgres;
using Broker.Storage.Sqlite;
using Broker.Storage.Stores;
using Broker.Testing;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>
/// Every hot statement on 206,000 steps, most of them history: it must cost what the step costs. Measured with the plan for unknown
/// parameters, which is what a long-lived connection ends up with, and with the plan for these.
/// </summary>
public sealed partial class PostgresPlanTests(LoadedPostgres database) : IClassFixture<LoadedPostgres>
{
    // Runs 20001 to 20600 are live: step 0 leased under fence 7, step 1 waiting, 2 to 9 ready.
    private const string Run = "ARRAY[20001, 20002]::bigint[]";
    private const string Step = "ARRAY[2, 3]::int[]";
    private const string NoTexts = "ARRAY[NULL, NULL]::text[]";
    private const string Longs = "ARRAY[1, 1]::bigint[]";
    private const string Ints = "ARRAY[1, 1]::int[]";
    private const string Slots = "ARRAY['w', 'w']::text[], ARRAY[5, 6]::bigint[], ARRAY[NULL, 60]::int[]";

    // The claim from one queue leaves a parameter unused, so the types must be stated.
    private const string SlotTypes = "(text[], bigint[], int[], int[], int[], bigint, bigint[], bigint, boolean[])";
    private const string NewRun = "ARRAY[900001, 900002]::bigint[]";

    // In the order of the EF model, behind the key: active, cancelled_at and context, the deadline to joins, kept events, phase, result, then three instants.
    private const string RunTail =
        $"{Ints}, {Longs}, {NoTexts}, {Longs}, ARRAY[NULL, NULL]::bigint[], {NoTexts}, {NoTexts}, {Ints}, ARRAY[0, 0]::smallint[], {NoTexts}, {Longs}, {Longs}, {Longs}";

    // In the order of the EF model, behind the key: ahead to granted_at, items, lease_secs to rank, result; then status, total_deadline, worker.
    private const string StepTail =
        $"ARRAY[false, false], {Ints}, {Longs}, {Longs}, {Longs}, {Longs}, {Longs}, {NoTexts}, {Longs}, {Longs}, {Longs}, {NoTexts}, {Ints}, {Ints}, {Ints}, {Longs}, {Longs}, {NoTexts}";

    // The same for a new row: input, items and kind, and the name behind losses.
    private const string NewStepTail =
        $"ARRAY[false, false], {Ints}, {Longs}, {Longs}, {Longs}, {Longs}, {Longs}, {NoTexts}, {Longs}, {Longs}, {Longs}, {NoTexts}, {NoTexts}, ARRAY[NULL, NULL]::smallint[], {Ints}, {Ints}, {NoTexts}, {Ints}, {Longs}, {Longs}, {NoTexts}";

    internal static readonly Dictionary<string, (string Sql, string Arguments, int Buffers)> Statements = new()
    {
        ["resolve"] = (HotSql.Resolve, "ARRAY['w1', 'w2'], ARRAY['i20001', 'i20002'], ARRAY[NULL, 0]::int[]", 40),
        ["lock claims"] = (HotSql.LockClaims, "ARRAY[5, 6]::bigint[]", 10),
        ["granted before"] = (HotSql.Granted, "ARRAY[5, 6]::bigint[], ARRAY['w', 'w']", 20),
        ["lock runs"] = (HotSql.LockRuns, Run, 40),
        ["lock versions"] = (HotSql.LockVersions, Run, 40),
        ["steps"] = (HotSql.Steps, $"{Run}, {Step}", 40),
        ["steps locked"] = (HotSql.LockSteps, $"{Run}, {Step}", 40),
        ["lock active"] = (HotSql.LockActive, $"{Run}, 1048576", 120),
        ["mail"] = (HotSql.Inbox, Run, 40),
        ["results"] = (HotSql.Results, $"{Run}, {Step}", 40),
        ["update runs"] = (HotSql.UpdateRuns, $"{Run}, {RunTail}", 100),
        ["update held runs"] = (HotSql.UpdateCachedRuns, $"{Run}, {RunTail}, {Ints}", 100),
        ["update steps"] = (HotSql.UpdateSteps, $"{Run}, {Step}, {StepTail}, ARRAY[1, 1]::smallint[], {Longs}, {NoTexts}", 150),
        ["update held steps"] = (HotSql.UpdateLeasedSteps, $"{Run}, ARRAY[0, 0]::int[], {StepTail}, ARRAY[4, 4]::smallint[], {Longs}, {NoTexts}, ARRAY[7, 7]::bigint[]", 150),
        ["end held steps"] = (HotSql.EndLeasedSteps, $"{Run}, ARRAY[0, 0]::int[], {Longs}, {NoTexts}, {NoTexts}, ARRAY[4, 4]::smallint[], ARRAY[7, 7]::bigint[]", 150),
        ["insert ready steps"] = (HotSql.InsertReadySteps, $"{NewRun}, {Step}, {Longs}, {Longs}, {Longs}, {Ints}, {Ints}, {Longs}, {Longs}, {Longs}", 100),
        ["insert steps"] = (HotSql.InsertSteps, $"{NewRun}, {Step}, {NewStepTail}, ARRAY[1, 1]::smallint[], {Longs}, {NoTexts}", 100),
        ["insert items"] = (HotSql.InsertReadyItems, $"{NewRun}, {Step}, {Longs}, {Longs}, {Longs}, {NoTexts}, ARRAY[0, 0]::smallint[], {Ints}, {NoTexts}, {Ints}, {Longs}, {Longs}, {Longs}", 100),
        ["copy items"] = (HotSql.CopyItems, "900001, 20001, 0, 2, ARRAY[4, 5]::smallint[]", 60),
        ["missing items"] = (HotSql.MissingItems, "20001, 2, 5, 10", 40),
        ["results of items"] = (HotSql.ItemResults, "20001, 2, 5", 20),
        ["insert attempts"] = (HotSql.InsertAttempts, $"{Run}, {Step}, {Ints}, ARRAY[0, 0]::smallint[], {NoTexts}, {Longs}, {Longs}, {NoTexts}", 60),
        ["drop attempts"] = (HotSql.DropAttempts, $"{Run}, {Step}", 60),
        ["insert runs"] = (HotSql.InsertRuns,
            $"{NewRun}, {Ints}, {Longs}, {NoTexts}, {Longs}, {Longs}, {Ints}, ARRAY[NULL, NULL]::bigint[], {NoTexts}, {Longs}, ARRAY['1', '1'], {Longs}, ARRAY['a', 'b'], {NoTexts}, {Longs}, {Ints}, {Ints}, "
            + $"ARRAY[0, 0]::smallint[], {Ints}, {NoTexts}, {Longs}, {Longs}, {Longs}, ARRAY[true, true], {NoTexts}, {NoTexts}, {Longs}, ARRAY['a', 'b']", 120),
        ["supersede"] = (HotSql.Supersede, Run, 100),
        ["insert mail"] = (HotSql.InsertInbox, $"{NewRun}, {Longs}, ARRAY['x', NULL], {NoTexts}, {Ints}, ARRAY['a', 'b']", 100),
        ["known events"] = (HotSql.KnownEvents, $"{Run}, ARRAY['a', 'b']", 40),
        ["consume mail"] = (HotSql.ConsumeInbox, $"{Run}, {Longs}, {Ints}, {Longs}", 60),
        ["append events"] = (HotSql.AppendEvents, $"{NewRun}, ARRAY[1, 1]::bigint[], {NewRun}, ARRAY[1, 1]::bigint[], ARRAY['a', 'b'], ARRAY['1', '1'], ARRAY[false, false]", 100),
        ["insert lines"] = (HotSql.InsertLines,
            $"{NewRun}, ARRAY['a', 'b'], ARRAY['a', 'b'], {Ints}, ARRAY['info', 'info'], ARRAY['c', 'c'], ARRAY['1', '1'], {NoTexts}, {Longs}, ARRAY['stdout', 'stdout'], {Longs}, {Longs}, "
            + "ARRAY['a/a', 'b/b']", 120),
        ["charge logs"] = (HotSql.ChargeLogs, $"{NewRun}, ARRAY['a', 'b'], ARRAY['a', 'b'], {Longs}", 60),
        ["cut logs"] = (HotSql.CutLogs, $"{NewRun}, ARRAY['a', 'b'], ARRAY['a', 'b'], {Longs}", 60),
        ["heartbeat"] = (HotSql.Heartbeat, $"{Run}, ARRAY[0, 0]::int[], ARRAY[7, NULL]::bigint[], ARRAY[NULL, 'w'], {NoTexts}", 60),
        ["claim from one queue"] = (HotSql.ClaimOne, $"{Slots}, ARRAY[3]::int[], ARRAY[0]::int[], 2, ARRAY[0]::bigint[], 66, NULL", 150),

        // 66 candidates from each queue, a page each at worst.
        ["claim from many queues"] = (HotSql.ClaimMany, $"{Slots}, ARRAY[3, 4, 5]::int[], ARRAY[0, 0, 1]::int[], 2, ARRAY[0, 0, 0]::bigint[], 66, NULL", 300),

        // The 240 ready steps of each queue.
        ["claim from many queues that others take from"] = (HotSql.ClaimMany, $"{Slots}, ARRAY[3, 4, 5]::int[], ARRAY[0, 0, 1]::int[], 2, ARRAY[0, 0, 0]::bigint[], 684, NULL", 900),
        // A page of each of three queues: 240 rows are ready in each, and all are of other workflows.
        ["find for a limited claim"] = (HotSql.FindLimited,
            "ARRAY[3, 4, 5]::int[], ARRAY[0, 0, 0]::bigint[], ARRAY[0, 0, 0]::bigint[], ARRAY[0, 0, 0]::int[], ARRAY['other', 'absent'], 341, 66", 4000),

        // It stops at the second row of its own.
        ["find for a limited claim that has steps in front"] = (HotSql.FindLimited,
            "ARRAY[3]::int[], ARRAY[0]::bigint[], ARRAY[0]::bigint[], ARRAY[0]::int[], ARRAY['w0', 'w1', 'w2', 'w3', 'w4', 'w5', 'w6', 'w7', 'w8', 'w9'], 1024, 2", 300),
        ["ends of pages"] = (HotSql.PageEnds,
            "ARRAY[3, 4, 5]::int[], ARRAY[0, 0, 0]::bigint[], ARRAY[0, 0, 0]::bigint[], ARRAY[0, 0, 0]::int[], 100", 450),
        ["claim what was found"] = (HotSql.ClaimFound, $"{Slots}, {Run}, {Step}, 2", 150),
        ["reserve ids"] = (HotSql.ReserveIds, "100", 20),
    };

    static PostgresPlanTests()
    {
        foreach (var sql in HotSql.Purge) Statements[sql] = (sql, Run, 250);
    }

    public static TheoryData<string, string> Cases => [.. Statements.Keys.SelectMany(name => (string[])["force_generic_plan", "force_custom_plan"], (name, mode) => (name, mode))];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_hot_statement_walks_along_indexes(string name, string planMode)
    {
        PostgresCluster.Require();
        var (sql, arguments, most) = Statements[name];
        AssertIsWalk(await ExplainAsync(sql, arguments, planMode), most);
    }

    internal static void AssertIsWalk(string plan, int most)
    {
        Assert.DoesNotMatch(HistoryScan, plan);
        var buffers = Buffers.Match(plan);
        var touched = Number(buffers.Groups[1]) + Number(buffers.Groups[2]);
        Assert.True(touched < most, $"{touched} buffers, {most} allowed:\n{plan}");
    }

    [Fact]
    public async Task A_claim_that_may_have_been_sent_before_reads_no_lease_of_others()
    {
        PostgresCluster.Require();
        var ct = TestContext.Current.CancellationToken;
        await using var store = database.Open();
        await using var db = store.Engine.CreateContext();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        Assert.Empty(await ClaimReplay.Granted(db, "w", [5, 6]).ToListAsync(ct));
        var read = await db.Database.SqlQuery<long>($"""SELECT seq_tup_read + idx_tup_fetch AS "Value" FROM pg_stat_xact_user_tables WHERE relname = 'step'""").SingleAsync(ct);
        Assert.InRange(read, 0, 4);
    }

    [Fact]
    public async Task A_look_for_due_work_walks_along_small_indexes()
    {
        PostgresCluster.Require();
        var ct = TestContext.Current.CancellationToken;
        await using var store = database.Open();
        await using var db = store.Engine.CreateContext();
        await using var command = DueWork.Look(db, 1, 500).CreateDbCommand();
        command.CommandText = "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) " + command.CommandText;
        await db.Database.OpenConnectionAsync(ct);
        var lines = new List<string>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct)) lines.Add(reader.GetString(0));
        var plan = string.Join('\n', lines);
        AssertIsWalk(plan, 20);
        foreach (var index in (string[])["ix_step_waiting", "ix_step_deadline", "ix_run_deadline"]) Assert.Contains(index, plan, StringComparison.Ordinal);
    }

    private async Task<string> ExplainAsync(string sql, string arguments, string planMode)
    {
        var ct = TestContext.Current.CancellationToken;
        await using var connection = await database.OpenAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using (var setup = new NpgsqlCommand($"{PostgresEngine.WalkSettings}; SET plan_cache_mode = {planMode}; {Prepared("hot", sql, arguments)}", connection)) await setup.ExecuteNonQueryAsync(ct);
        await using var explain = new NpgsqlCommand($"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) EXECUTE hot({arguments})", connection);
        var lines = new List<string>();
        await using (var reader = await explain.ExecuteReaderAsync(ct))
        {
            while (await reader.ReadAsync(ct)) lines.Add(reader.GetString(0));
        }

        await using (var forget = new NpgsqlCommand("DEALLOCATE hot", connection)) await forget.ExecuteNonQueryAsync(ct);
        return string.Join('\n', lines);
    }

    internal static string Prepared(string name, string sql, string arguments) =>
        $"PREPARE {name}{(sql.Contains("$9", StringComparison.Ordinal) && arguments.StartsWith(Slots, StringComparison.Ordinal) ? SlotTypes : "")} AS {sql}";

    private static int Number(Group digits) => digits.Success ? int.Parse(digits.Value, CultureInfo.InvariantCulture) : 0;

    [GeneratedRegex("Seq Scan on (run|step|inbox|event|stream|log)\\b")]
    private static partial Regex HistoryScan { get; }

    // The first line is the whole statement's.
    [GeneratedRegex("Buffers: shared(?: hit=(\\d+))?(?: read=(\\d+))?")]
    private static partial Regex Buffers { get; }
}

/// <summary>
/// A broker that meets an empty database keeps the plans it makes then. One of them once read the whole claim index for each claim.
/// </summary>
public sealed class EarlyPlanTests(EarlyPlans plans) : IClassFixture<EarlyPlans>
{
    public static TheoryData<string> Names => [.. PostgresPlanTests.Statements.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_plan_made_while_the_tables_were_empty_is_still_a_walk_when_they_are_full(string name)
    {
        PostgresCluster.Require();
        PostgresPlanTests.AssertIsWalk(plans.Of(name), PostgresPlanTests.Statements[name].Buffers);
    }
}

/// <summary>The same on SQLite: each table is entered by a key.</summary>
public sealed class SqlitePlanTests(LoadedSqlite database) : IClassFixture<LoadedSqlite>
{
    private static readonly Dictionary<string, string> Statements = typeof(SqliteSql).GetFields()
        .Where(f => f.FieldType == typeof(string))
        .Select(f => KeyValuePair.Create(f.Name, (string)f.GetValue(null)!))
        .Concat(SqliteSql.Purge.Select(sql => KeyValuePair.Create(sql, sql)))
        .ToDictionary();

    public static TheoryData<string> Names => [.. Statements.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_hot_statement_walks_along_indexes(string name)
    {
        var ct = TestContext.Current.CancellationToken;
        await using var connection = await database.OpenAsync(ct);
        await using var explain = new SqliteCommand("EXPLAIN QUERY PLAN " + Statements[name], connection);
        for (var i = 0; i < 25; i++) explain.Parameters.AddWithValue($"@p{i}", DBNull.Value);
        var steps = new List<string>();
        await using var reader = await explain.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct)) steps.Add(reader.GetString(3));
        Assert.DoesNotContain(steps, s => s.StartsWith("SCAN", StringComparison.Ordinal));
        Assert.DoesNotContain(steps, s => s.Contains("TEMP B-TREE", StringComparison.Ordinal));
        if (name == nameof(SqliteSql.First)) Assert.Contains(steps, s => s.Contains("ix_step_claim (queue_id=? AND rank<?)", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_look_for_due_work_is_made_by_small_indexes()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var store = database.Open();
        await using var db = store.Engine.CreateContext();
        await using var command = DueWork.Look(db, 1, 500).CreateDbCommand();
        command.CommandText = "EXPLAIN QUERY PLAN " + command.CommandText;
        await db.Database.OpenConnectionAsync(ct);
        await using var reader = await command.ExecuteReaderAsync(ct);
        var steps = new List<string>();
        while (await reader.ReadAsync(ct)) steps.Add(reader.GetString(3));
        foreach (var index in (string[])["ix_step_waiting", "ix_step_deadline", "ix_run_deadline"]) Assert.Contains(steps, s => s.Contains(index, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_claim_that_may_have_been_sent_before_is_looked_up_by_its_fences()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var store = database.Open();
        await using var db = store.Engine.CreateContext();
        await using var command = ClaimReplay.Granted(db, "w", [5, 6]).CreateDbCommand();
        command.CommandText = "EXPLAIN QUERY PLAN " + command.CommandText;
        await db.Database.OpenConnectionAsync(ct);
        await using var reader = await command.ExecuteReaderAsync(ct);
        var steps = new List<string>();
        while (await reader.ReadAsync(ct)) steps.Add(reader.GetString(3));
        Assert.Contains(steps, s => s.Contains("ix_step_leased (fence=?)", StringComparison.Ordinal));
    }
}
