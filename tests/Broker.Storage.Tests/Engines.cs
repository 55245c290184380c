using Broker.Storage.Contracts;
using Broker.Storage.Tests.Model;
using Broker.Testing;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Broker.Storage.Tests;

/// <summary>Engine that a suite runs on.</summary>
internal interface ITestEngine
{
    /// <summary>The clock that the stores are given; PostgreSQL judges by its own.</summary>
    TimeProvider Clock { get; }

    /// <summary>Whether several brokers may use one database.</summary>
    bool IsShared { get; }

    Task<DatabaseTarget> CreateAsync(bool migrated);

    Task DropAsync();

    /// <summary>Runs SQL beside the stores.</summary>
    Task<int> ExecuteAsync(string sql);

    /// <summary>The rows of a query, each as its values joined by commas.</summary>
    Task<IReadOnlyList<string>> QueryAsync(string sql);

    /// <summary>Lets time go by: the clock advances, or, where it cannot be moved, everything stored moves into the past.</summary>
    Task PassAsync(TimeSpan time);
}

internal sealed class OnPostgres(PostgresCluster cluster) : ITestEngine
{
    private string connectionString = "";

    public TimeProvider Clock => TimeProvider.System;

    public bool IsShared => true;

    public async Task<DatabaseTarget> CreateAsync(bool migrated)
    {
        PostgresCluster.Require();
        connectionString = migrated ? await cluster.CreateDatabaseAsync() : await cluster.CreateEmptyDatabaseAsync();
        return new DatabaseTarget(connectionString, null);
    }

    public async Task DropAsync()
    {
        if (connectionString.Length > 0) await cluster.DropAsync(connectionString);
    }

    public async Task<int> ExecuteAsync(string sql)
    {
        await using var connection = await OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteNonQueryAsync();
    }

    public async Task<IReadOnlyList<string>> QueryAsync(string sql)
    {
        await using var connection = await OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        return await Rows.ReadAsync(reader);
    }

    public async Task PassAsync(TimeSpan time)
    {
        var micros = time.Ticks / TimeSpan.TicksPerMicrosecond;
        string Moved(params string[] columns) => string.Join(", ", columns.Select(c => $"{c} = {c} - {micros}"));
        await ExecuteAsync($"UPDATE step SET {Moved("rank", "due", "queued_at", "granted_at", "expires_at", "begun_at", "ended_at", "deadline", "total_deadline")}");
        await ExecuteAsync($"UPDATE run SET {Moved("instance_created_at", "created_at", "started_at", "resumed_at", "updated_at", "ended_at", "start_at", "deadline")}");
        await ExecuteAsync($"UPDATE step_attempt SET {Moved("granted_at", "ended_at")}");
        await ExecuteAsync($"UPDATE stream SET {Moved("reader_until")}");
        await ExecuteAsync($"UPDATE worker SET {Moved("registered_at", "seen_at")}");
        await ExecuteAsync($"UPDATE definition SET {Moved("seen_at")}");
        await ExecuteAsync($"UPDATE start_key SET {Moved("at")}");
        await ExecuteAsync($"UPDATE ui_session SET {Moved("created_at", "seen_at", "expires_at")}");
        await ExecuteAsync($"UPDATE log SET {Moved("created_at")}");
        await ExecuteAsync($"UPDATE outbox SET {Moved("lease_until")}");
        await ExecuteAsync($"UPDATE webhook SET {Moved("failing_since", "created_at", "updated_at")}");
        await ExecuteAsync($"UPDATE webhook_delivery SET {Moved("created_at", "due", "ended_at")}");
        await ExecuteAsync($"UPDATE schedule SET {Moved("paused_at", "last_nominal", "paused_until", "next_at", "last_at", "created_at", "updated_at")}");
        await ExecuteAsync($"UPDATE schedule_firing SET {Moved("nominal", "until", "at")}");
        await ExecuteAsync($"UPDATE bulk SET {Moved("as_of", "created_at", "lease_until")}");
    }

    private async Task<NpgsqlConnection> OpenAsync()
    {
        var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        return connection;
    }
}

internal sealed class OnSqlite : ITestEngine, IDisposable
{
    private readonly SqliteFile file = new();
    private readonly TestClock clock = new();

    public TimeProvider Clock => clock;

    public bool IsShared => false;

    public Task<DatabaseTarget> CreateAsync(bool migrated) => Task.FromResult(new DatabaseTarget(null, file.Path));

    public Task DropAsync()
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose() => file.Dispose();

    public async Task<int> ExecuteAsync(string sql)
    {
        await using var connection = new SqliteConnection(file.ConnectionString);
        await connection.OpenAsync();
        await using var command = new SqliteCommand(sql, connection);
        return await command.ExecuteNonQueryAsync();
    }

    public async Task<IReadOnlyList<string>> QueryAsync(string sql)
    {
        await using var connection = new SqliteConnection(file.ConnectionString);
        await connection.OpenAsync();
        await using var command = new SqliteCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        return await Rows.ReadAsync(reader);
    }

    public Task PassAsync(TimeSpan time)
    {
        clock.Advance(time);
        return Task.CompletedTask;
    }
}

internal static class Rows
{
    public static async Task<IReadOnlyList<string>> ReadAsync(System.Data.Common.DbDataReader reader)
    {
        var rows = new List<string>();
        while (await reader.ReadAsync())
        {
            rows.Add(string.Join(",", Enumerable.Range(0, reader.FieldCount).Select(i => Convert.ToString(reader.GetValue(i), System.Globalization.CultureInfo.InvariantCulture))));
        }

        return rows;
    }
}

public sealed class PostgresHotPathTests(PostgresCluster cluster) : HotPathConformance(new OnPostgres(cluster));

public sealed class SqliteHotPathTests() : HotPathConformance(new OnSqlite());

public sealed class PostgresReportAndClaimTests(PostgresCluster cluster) : ReportAndClaimConformance(new OnPostgres(cluster));

public sealed class SqliteReportAndClaimTests() : ReportAndClaimConformance(new OnSqlite());

public sealed class PostgresClaimIdTests(PostgresCluster cluster) : ClaimIdConformance(new OnPostgres(cluster));

public sealed class SqliteClaimIdTests() : ClaimIdConformance(new OnSqlite());

public sealed class PostgresEagerDispatchTests(PostgresCluster cluster) : EagerDispatchConformance(new OnPostgres(cluster));

public sealed class SqliteEagerDispatchTests() : EagerDispatchConformance(new OnSqlite());

public sealed class PostgresLeaseTests(PostgresCluster cluster) : LeaseConformance(new OnPostgres(cluster));

public sealed class SqliteLeaseTests() : LeaseConformance(new OnSqlite());

public sealed class PostgresRetentionTests(PostgresCluster cluster) : RetentionConformance(new OnPostgres(cluster));

public sealed class SqliteRetentionTests() : RetentionConformance(new OnSqlite());

public sealed class PostgresQueueFactsTests(PostgresCluster cluster) : QueueFactsConformance(new OnPostgres(cluster));

public sealed class SqliteQueueFactsTests() : QueueFactsConformance(new OnSqlite());

public sealed class PostgresRunSearchTests(PostgresCluster cluster) : RunSearchConformance(new OnPostgres(cluster));

public sealed class SqliteRunSearchTests() : RunSearchConformance(new OnSqlite());

public sealed class PostgresDefinitionTests(PostgresCluster cluster) : DefinitionConformance(new OnPostgres(cluster));

public sealed class SqliteDefinitionTests() : DefinitionConformance(new OnSqlite());

public sealed class PostgresRepositoryTests(PostgresCluster cluster) : RepositoryConformance(new OnPostgres(cluster));

public sealed class SqliteRepositoryTests() : RepositoryConformance(new OnSqlite());

public sealed class PostgresWorkerTests(PostgresCluster cluster) : WorkerConformance(new OnPostgres(cluster));

public sealed class SqliteWorkerTests() : WorkerConformance(new OnSqlite());

public sealed class PostgresLogTests(PostgresCluster cluster) : LogConformance(new OnPostgres(cluster));

public sealed class SqliteLogTests() : LogConformance(new OnSqlite());

public sealed class PostgresEventTests(PostgresCluster cluster) : EventConformance(new OnPostgres(cluster));

public sealed class SqliteEventTests() : EventConformance(new OnSqlite());

public sealed class PostgresHistoryTests(PostgresCluster cluster) : HistoryConformance(new OnPostgres(cluster));

public sealed class SqliteHistoryTests() : HistoryConformance(new OnSqlite());

public sealed class PostgresMigrationTests(PostgresCluster cluster) : MigrationConformance(new OnPostgres(cluster));

public sealed class SqliteMigrationTests() : MigrationConformance(new OnSqlite());

public sealed class PostgresRandomClientTests(PostgresCluster cluster) : RandomClientConformance(new OnPostgres(cluster));

public sealed class SqliteRandomClientTests() : RandomClientConformance(new OnSqlite());

public sealed class PostgresKeyTests(PostgresCluster cluster) : KeyConformance(new OnPostgres(cluster));

public sealed class SqliteKeyTests() : KeyConformance(new OnSqlite());

public sealed class PostgresSessionTests(PostgresCluster cluster) : SessionConformance(new OnPostgres(cluster));

public sealed class SqliteSessionTests() : SessionConformance(new OnSqlite());

public sealed class PostgresAuditTests(PostgresCluster cluster) : AuditConformance(new OnPostgres(cluster));

public sealed class SqliteAuditTests() : AuditConformance(new OnSqlite());

public sealed class PostgresMapTests(PostgresCluster cluster) : MapConformance(new OnPostgres(cluster));

public sealed class SqliteMapTests() : MapConformance(new OnSqlite());

public sealed class PostgresRerunTests(PostgresCluster cluster) : RerunConformance(new OnPostgres(cluster));

public sealed class SqliteRerunTests() : RerunConformance(new OnSqlite());

public sealed class PostgresConditionTests(PostgresCluster cluster) : ConditionConformance(new OnPostgres(cluster));

public sealed class SqliteConditionTests() : ConditionConformance(new OnSqlite());

public sealed class PostgresContextTests(PostgresCluster cluster) : ContextConformance(new OnPostgres(cluster));

public sealed class SqliteContextTests() : ContextConformance(new OnSqlite());

public sealed class PostgresAcceptedEventTests(PostgresCluster cluster) : AcceptedEventConformance(new OnPostgres(cluster));

public sealed class SqliteAcceptedEventTests() : AcceptedEventConformance(new OnSqlite());

public sealed class PostgresIdleTests(PostgresCluster cluster) : IdleConformance(new OnPostgres(cluster));

public sealed class SqliteIdleTests() : IdleConformance(new OnSqlite());

public sealed class PostgresStartKeyTests(PostgresCluster cluster) : StartKeyConformance(new OnPostgres(cluster));

public sealed class SqliteStartKeyTests() : StartKeyConformance(new OnSqlite());

public sealed class PostgresTogetherTests(PostgresCluster cluster) : TogetherConformance(new OnPostgres(cluster));

public sealed class SqliteTogetherTests() : TogetherConformance(new OnSqlite());

public sealed class PostgresWaitingClaimsTests(PostgresCluster cluster) : WaitingClaimsConformance(new OnPostgres(cluster));

public sealed class SqliteWaitingClaimsTests() : WaitingClaimsConformance(new OnSqlite());

public sealed class PostgresEventIdTests(PostgresCluster cluster) : EventIdConformance(new OnPostgres(cluster));

public sealed class SqliteEventIdTests() : EventIdConformance(new OnSqlite());

public sealed class PostgresDueWatchTests(PostgresCluster cluster) : DueWatchConformance(new OnPostgres(cluster));

public sealed class SqliteDueWatchTests() : DueWatchConformance(new OnSqlite());

public sealed class PostgresModelTests(PostgresCluster cluster) : ModelConformance(() => new OnPostgres(cluster));

public sealed class SqliteModelTests() : ModelConformance(() => new OnSqlite());

public sealed class PostgresRunCacheTests(PostgresCluster cluster) : RunCacheConformance(new OnPostgres(cluster));

public sealed class SqliteRunCacheTests() : RunCacheConformance(new OnSqlite());

public sealed class PostgresBulkTests(PostgresCluster cluster) : BulkConformance(new OnPostgres(cluster));

public sealed class SqliteBulkTests() : BulkConformance(new OnSqlite());
