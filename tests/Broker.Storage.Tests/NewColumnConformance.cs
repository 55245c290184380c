using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Postgres;
using Broker.Storage.Sqlite;
using Broker.Storage.Tables;
using Broker.Testing;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>The step row with one more property, the only change that a new column takes besides its migration.</summary>
internal sealed class NotedStepRow : StepRow
{
    public string? Note { get; set; }
}

/// <summary>The model of the step table with that row.</summary>
internal sealed class NotedDb(DbContextOptions options) : DbContext(options)
{
    public static IModel ModelFor(DbContextOptionsBuilder options)
    {
        using var db = new NotedDb(options.Options);
        return db.Model;
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<NotedStepRow>(step =>
        {
            step.ToTable("step");
            step.HasKey(s => new { s.RunId, s.Idx });
        });
        BrokerDb.NameColumns(modelBuilder.Model);
    }
}

/// <summary>A new column goes through every hot statement that loads or writes steps, and no statement names it.</summary>
public abstract class NewColumnConformance : StoreTests
{
    private protected NewColumnConformance(ITestEngine engine)
        : base(engine)
    {
    }

    [Fact]
    public async Task A_property_that_is_added_to_the_row_is_stored_and_loaded()
    {
        await Engine.ExecuteAsync("ALTER TABLE step ADD COLUMN note text");
        await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a")), "i");
        var ready = Load();
        Assert.Null(ready.Note);
        await Engine.ExecuteAsync("DELETE FROM step");
        ready.Note = "inserted";
        Insert(ready);

        // The product, whose row does not have the property, leaves the column as it is.
        var assignment = await ClaimAsync();
        Assert.Equal((short)StepStatus.Leased, Load().Status);
        Assert.Equal("inserted", Load().Note);

        var leased = Load();
        foreach (var (index, update) in Updates.Index())
        {
            leased.Note = $"updated {index}";
            update(leased);
            Assert.Equal(leased.Note, Load().Note);
        }

        Assert.Equal(ReportVerdict.Accepted, await SucceedAsync(assignment!));
        Assert.Equal((short)StepStatus.Succeeded, Load().Status);
        Assert.Equal(leased.Note, Load().Note);

        leased.Idx = 1;
        Insert(leased);
        Assert.Equal(["0," + leased.Note, "1," + leased.Note], await Engine.QueryAsync("SELECT idx, note FROM step ORDER BY idx"));
    }

    private protected abstract NotedStepRow Load();

    /// <summary>By the statement for a step of this status.</summary>
    private protected abstract void Insert(NotedStepRow step);

    /// <summary>Each statement that writes a leased step and leaves it leased.</summary>
    private protected abstract IEnumerable<Action<NotedStepRow>> Updates { get; }
}

public sealed class PostgresNewColumnTests(PostgresCluster cluster) : NewColumnConformance(new OnPostgres(cluster))
{
    private static readonly Postgres.StepStatements<NotedStepRow> Steps = new(NotedDb.ModelFor(new DbContextOptionsBuilder().UseNpgsql()));

    private protected override NotedStepRow Load()
    {
        using var connection = Connect();
        using var batch = new BatchBuilder(connection);
        batch.Add(Steps.Load, Parameters.Parameter((long[])[RunId(connection)]), Parameters.Parameter((int[])[0]));
        using var reader = batch.Read();
        Assert.True(reader.Read());
        return Steps.Read(new PostgresRows(reader));
    }

    private protected override void Insert(NotedStepRow step) => Run(batch => Steps.AddInsert(batch, [step]));

    private protected override IEnumerable<Action<NotedStepRow>> Updates =>
    [
        step => Run(batch => Steps.AddUpdate(batch, [step])),
        step => Run(batch => Steps.AddUpdateLeased(batch, [step], Parameters.Parameter((long[])[step.Fence!.Value]))),
    ];

    [Fact]
    public void The_statement_that_ends_steps_writes_it_too() => Assert.Contains("note = ", Steps.EndLeased, StringComparison.Ordinal);

    private static long RunId(NpgsqlConnection connection)
    {
        using var command = new NpgsqlCommand("SELECT id FROM run", connection);
        return (long)command.ExecuteScalar()!;
    }

    private NpgsqlConnection Connect()
    {
        var connection = new NpgsqlConnection(Target.Postgres);
        connection.Open();
        return connection;
    }

    private void Run(Action<BatchBuilder> add)
    {
        using var connection = Connect();
        using var batch = new BatchBuilder(connection);
        add(batch);
        using var reader = batch.Read();
        Assert.Equal(1, reader.RecordsAffected);
    }
}

public sealed class SqliteNewColumnTests() : NewColumnConformance(new OnSqlite())
{
    private static readonly Sqlite.StepStatements<NotedStepRow> Steps = new(NotedDb.ModelFor(new DbContextOptionsBuilder().UseSqlite()));

    private protected override NotedStepRow Load()
    {
        using var connection = Connect();
        using var runs = new SqliteStatement(connection, "SELECT id FROM run");
        using var run = runs.Query([]);
        Assert.True(run.Read());
        using var statement = new SqliteStatement(connection, Steps.Load);
        using var rows = statement.Query([run.GetInt64(0), 0]);
        Assert.True(rows.Read());
        return Steps.Read(rows);
    }

    private protected override void Insert(NotedStepRow step) => Run(Steps.Insert, Steps.InsertedValues, step);

    private protected override IEnumerable<Action<NotedStepRow>> Updates => [step => Run(Steps.Update, Steps.Values, step)];

    private SqliteConnection Connect()
    {
        var connection = new SqliteConnection($"Data Source={Target.SqlitePath};Pooling=False");
        connection.Open();
        return connection;
    }

    private void Run(string sql, RowValues<NotedStepRow> columns, NotedStepRow step)
    {
        using var connection = Connect();
        using var statement = new SqliteStatement(connection, sql);
        var values = new SqliteValue[columns.Count];
        columns.Write(step, values);
        statement.Execute(values);
    }
}
