using System.Globalization;
using Broker.Storage.Contracts;
using Broker.Storage.Schema;
using Broker.Storage.Sqlite;
using Broker.Testing;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>One broker serves a SQLite file, and what a killed one leaves behind stops no later one.</summary>
public sealed class SqliteLockTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly SqliteFile file = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => file.Dispose();

    [Fact]
    public async Task A_row_in_the_lock_table_of_migrations_stops_no_later_migration()
    {
        await ExecuteAsync("CREATE TABLE \"__EFMigrationsLock\" (\"Id\" INTEGER NOT NULL PRIMARY KEY, \"Timestamp\" TEXT NOT NULL)");
        await ExecuteAsync("INSERT INTO \"__EFMigrationsLock\" VALUES (1, '2026-01-01 00:00:00+00:00')");

        await using var services = Open();
        await services.GetRequiredService<Migrator>().MigrateAsync(Ct).WaitAsync(Limit, Ct);

        Assert.Null(await services.GetRequiredService<Migrator>().FaultAsync(Ct));
    }

    [Fact]
    public async Task Migrations_that_start_together_are_applied_once()
    {
        var applied = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(async () =>
        {
            await using var services = Open();
            await services.GetRequiredService<Migrator>().MigrateAsync(Ct);
            return await services.GetRequiredService<Migrator>().FaultAsync(Ct);
        })));
        Assert.All(applied, Assert.Null);
    }

    [Fact]
    public async Task A_second_broker_is_refused_with_the_process_of_the_first_and_served_after_its_end()
    {
        await using var second = Open();
        await using (var first = Open())
        {
            Take(first);
            Take(first);

            var refusal = Assert.Throws<DatabaseInUseException>(() => Take(second));
            Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"process {Environment.ProcessId} on {Environment.MachineName}, since "), refusal.Message, StringComparison.Ordinal);
            Assert.Contains(file.Path, refusal.Message, StringComparison.Ordinal);
        }

        Take(second);
    }

    [Fact]
    public async Task A_link_to_the_file_is_the_same_database()
    {
        var link = $"{file.Path}.link";
        File.CreateSymbolicLink(link, file.Path);
        await using var first = Open();
        await using var second = Open(link);
        Take(first);
        Assert.Throws<DatabaseInUseException>(() => Take(second));
        File.Delete(link);
    }

    [Fact]
    public async Task Lock_files_that_a_dead_process_left_refuse_no_broker()
    {
        foreach (var ending in (string[])["lock", "owner", "migrating"]) await File.WriteAllTextAsync($"{file.Path}.{ending}", "process 1 on elsewhere", Ct);
        await using var services = Open();
        Take(services);
        await services.GetRequiredService<Migrator>().MigrateAsync(Ct).WaitAsync(Limit, Ct);
        Assert.Contains(Environment.ProcessId.ToString(CultureInfo.InvariantCulture), new SqliteFiles(file.Path).OwnerName(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_cannot_be_written_is_no_lock_of_another_broker() =>
        Assert.ThrowsAny<Exception>(() => SqliteFiles.TryLock("/proc/none.db.lock"));

    private static void Take(ServiceProvider services) => services.GetRequiredService<IBrokerLock>().Take();

    private ServiceProvider Open(string? path = null) => new ServiceCollection().AddSingleton(TimeProvider.System).AddLogging()
        .AddBrokerStorage(new StorageOptions(new DatabaseTarget(null, path ?? file.Path), DefaultLeaseSecs: 60, Lanes: 1)).BuildServiceProvider();

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new SqliteConnection($"Data Source={file.Path};Pooling=False");
        await connection.OpenAsync(Ct);
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync(Ct);
    }
}
