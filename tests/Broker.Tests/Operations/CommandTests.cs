using System.Net;
using Broker.Testing;
using Microsoft.Data.Sqlite;
using Xunit;

namespace Broker.Tests.Operations;

/// <summary>The commands as they are typed: real processes, exit codes, texts.</summary>
public sealed class CommandTests : IDisposable
{
    private readonly TempFolder folder = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Database => Path.Combine(folder.Path, "broker.db");

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_broker_that_may_not_migrate_refuses_until_the_command_has_done_it()
    {
        var refused = await RunAsync(new() { ["Broker__MigrateAtStart"] = "false", ["PORT"] = "0" }, "lacks");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains(refused.Output, line => line.Contains("_Initial", StringComparison.Ordinal) && line.Contains("broker migrate", StringComparison.Ordinal));
        Assert.DoesNotContain(refused.Output, line => line.Contains("Unhandled exception", StringComparison.Ordinal));

        Assert.Equal(0, (await RunAsync([], "Applied ", "migrate")).ExitCode);
        Assert.Equal(0, (await RunAsync([], "The database has all migrations.", "migrate")).ExitCode);

        await using var broker = await BrokerProcess.StartAsync($"sqlite:{Database}", new Dictionary<string, string> { ["Broker__MigrateAtStart"] = "false" });
        using var client = new HttpClient { BaseAddress = broker.Address };
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(new Uri("/readyz", UriKind.Relative), Ct)).StatusCode);

        // A copy while it runs.
        var copy = Path.Combine(folder.Path, "copy.db");
        Assert.Equal(0, (await RunAsync([], "Copied ", "backup", copy)).ExitCode);
        Assert.Equal(1, (await RunAsync([], "does not replace a file", "backup", copy)).ExitCode);
        Assert.Equal(0, await broker.StopAsync());

        await using var connection = new SqliteConnection($"Data Source={copy};Pooling=False;Mode=ReadOnly");
        await connection.OpenAsync(Ct);
        await using var check = new SqliteCommand("PRAGMA integrity_check", connection);
        Assert.Equal("ok", await check.ExecuteScalarAsync(Ct));
        check.CommandText = "SELECT count(*) FROM definition WHERE name = 'ci'";
        Assert.Equal(1L, await check.ExecuteScalarAsync(Ct));
    }

    [Fact]
    public async Task A_backup_is_put_in_the_place_of_a_database_that_no_broker_serves()
    {
        var copy = Path.Combine(folder.Path, "copy.db");
        await using (var broker = await BrokerProcess.StartAsync($"sqlite:{Database}"))
        {
            Assert.Equal(0, (await RunAsync([], "Copied ", "backup", copy)).ExitCode);
            Assert.Equal(1, (await RunAsync([], "Another broker serves", "restore", copy)).ExitCode);
            Assert.Equal(0, await broker.StopAsync());
        }

        await File.WriteAllTextAsync(Database, "damaged", Ct);
        Assert.Equal(2, (await RunAsync([], "Write the backup", "restore")).ExitCode);
        Assert.Equal(1, (await RunAsync([], "There is no backup at", "restore", copy + "x")).ExitCode);
        var restored = await RunAsync([], "Restored ", "restore", copy);
        Assert.Equal(0, restored.ExitCode);
        Assert.Contains(restored.Output, line => line.StartsWith("The former database is kept as ", StringComparison.Ordinal));
        Assert.True(File.Exists(copy));
        await using var again = await BrokerProcess.StartAsync($"sqlite:{Database}");
        using var client = new HttpClient { BaseAddress = again.Address };
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(new Uri("/readyz", UriKind.Relative), Ct)).StatusCode);
    }

    [Theory]
    [InlineData("this is no database, and long enough to be taken for one that is broken")]
    [InlineData("")]
    public async Task A_restore_from_a_file_that_is_no_database_names_it_and_makes_no_file(string content)
    {
        var copy = Path.Combine(folder.Path, "notes.txt");
        await File.WriteAllTextAsync(copy, content, Ct);

        var refused = await RunAsync([], "The restore failed: ", "restore", copy);

        Assert.Equal(1, refused.ExitCode);
        Assert.Contains(refused.Output, line => line.Contains(copy, StringComparison.Ordinal));
        Assert.False(File.Exists(Database));
        Assert.Equal(content, await File.ReadAllTextAsync(copy, Ct));
    }

    [Fact]
    public async Task A_database_that_cannot_be_migrated_ends_with_a_message_and_exit_code_1()
    {
        await File.WriteAllTextAsync(Database, "this is no database, and long enough to be taken for one that is broken", Ct);
        Assert.Equal(1, (await RunAsync([], "The database could not be migrated: ", "migrate")).ExitCode);
    }

    private async Task<(int ExitCode, IReadOnlyList<string> Output)> RunAsync(Dictionary<string, string> environment, string said, params string[] arguments)
    {
        environment["DATABASE_URL"] = $"sqlite:{Database}";
        await using var program = new ManagedProcess(RepositoryLayout.HostProgram(), environment, arguments);
        await program.StartUntilAsync(said, TimeSpan.FromSeconds(90));
        await Eventually.TrueAsync(() => program.HasExited, TimeSpan.FromSeconds(60));
        return (program.ExitCode, program.Output);
    }
}
