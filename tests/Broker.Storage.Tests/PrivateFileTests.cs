using Broker.Core.Runs;
using Broker.Storage.Contracts;
using Broker.Storage.Sqlite;
using Broker.Testing;
using Microsoft.Data.Sqlite;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>The files of an embedded database are for the broker's user alone.</summary>
public sealed class PrivateFileTests : IDisposable
{
    private const UnixFileMode ForOneUser = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly TempFolder folder = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Data => Path.Combine(folder.Path, "broker-data");

    private string Database => Path.Combine(Data, "broker.db");

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        folder.Dispose();
    }

    [Fact]
    public async Task The_database_its_companions_and_a_backup_are_read_by_no_other_user()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "no modes");
        await using var store = await OpenAsync();
        Assert.Equal(ForOneUser | UnixFileMode.UserExecute, File.GetUnixFileMode(Data));
        var files = Directory.GetFiles(Data);
        Assert.Superset(new HashSet<string> { Database, $"{Database}-wal", $"{Database}-shm" }, files.ToHashSet());
        Assert.All(files, path => Assert.Equal(ForOneUser, File.GetUnixFileMode(path)));

        var copy = Path.Combine(folder.Path, "copy.db");
        Assert.True(await SqliteBackup.CopyAsync(Database, copy, Ct) > 0);
        Assert.Equal(ForOneUser, File.GetUnixFileMode(copy));
        Assert.Equal([copy], Directory.GetFiles(folder.Path));
    }

    [Fact]
    public async Task An_existing_file_keeps_its_mode()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "no modes");
        const UnixFileMode shared = ForOneUser | UnixFileMode.GroupRead;
        Directory.CreateDirectory(Data, shared | UnixFileMode.UserExecute | UnixFileMode.GroupExecute);
        await File.WriteAllBytesAsync(Database, [], Ct);
        File.SetUnixFileMode(Database, shared);

        await using var store = await OpenAsync();
        Assert.Equal(shared | UnixFileMode.UserExecute | UnixFileMode.GroupExecute, File.GetUnixFileMode(Data));
        foreach (var companion in (string[])["", "-wal"]) Assert.Equal(shared, File.GetUnixFileMode(Database + companion));
    }

    private async Task<StoreHarness> OpenAsync()
    {
        var store = StoreHarness.Open(new DatabaseTarget(null, Database), TimeProvider.System);
        await store.Migrator.MigrateAsync(Ct);
        var definition = (await store.Definitions.RegisterAsync([ADefinition.Jobs("d", "a")], makeLatest: false, Ct)).Registered[0];
        await store.Runs.StartAsync([new StartRequest(definition, "i")], Ct);
        return store;
    }
}
