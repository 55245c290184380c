using System.Diagnostics;
using System.Text;
using Broker.Security;
using Broker.Settings;
using Broker.Storage.Contracts;
using Broker.Testing;
using Broker.Tests.App;
using Broker.Tests.Host;
using Broker.Tests.InstancesDialect;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

namespace Broker.Tests.Security;

/// <summary>Credentials of repositories: where they may be seen, and where not.</summary>
public sealed class CredentialTests(PostgresCluster cluster)
{
    private const string Token = "glpat-5tBx9QfW2nR7";
    private const string Secret = "a secret of the operators' own";

    private static readonly string Body =
        $$$"""{"name":"invoices","url":"https://git.example.com/i.git","workflows":["i:check"],"credentials":{"token":"{{{Token}}}"}}""";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task On_sqlite_credentials_are_in_no_file_and_no_log_line()
    {
        using var file = new SqliteFile();
        var logs = new RecordedLogs();
        await using (var broker = await OwnBroker.StartOnAsync($"sqlite:{file.Path}", logs))
        {
            await KeepsTheSecretAsync(broker);
            var written = Directory.GetFiles(Path.GetTempPath(), Path.GetFileName(file.Path) + "*");
            Assert.Superset(new HashSet<string> { file.Path, $"{file.Path}-wal", $"{file.Path}.lock", $"{file.Path}.owner" }, written.ToHashSet());
            Assert.NotEmpty(KeyFiles(file));
            Assert.All(written.Concat(KeyFiles(file)).Select(ReadShared), bytes => Assert.DoesNotContain(Token, bytes, StringComparison.Ordinal));
        }

        Assert.DoesNotContain(logs.Lines, line => line.Text.Contains(Token, StringComparison.Ordinal) || line.Values.Values.Any(v => $"{v}".Contains(Token, StringComparison.Ordinal)));
        Assert.Contains(Token, await RestartedAsync($"sqlite:{file.Path}"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(Secret)]
    public async Task On_postgres_credentials_are_in_no_table_and_all_brokers_read_them(string? secret)
    {
        PostgresCluster.Require();
        var connection = await cluster.CreateDatabaseAsync();
        string[] settings = secret is null ? [] : [$"--Broker:DataProtection:Secret={secret}"];
        try
        {
            await using (var one = await OwnBroker.StartOnAsync(connection, null, settings))
            {
                await using var two = await OwnBroker.StartOnAsync(connection, null, settings);
                await KeepsTheSecretAsync(one);
                Assert.Contains(Token, await two.Client.GetStringAsync(new Uri("/repository?name=invoices", UriKind.Relative), Ct), StringComparison.Ordinal);
            }

            var stored = await ColumnsAsync(connection, "SELECT credentials FROM repository UNION ALL SELECT xml FROM data_key");
            Assert.Equal(2, stored.Count);
            Assert.All(stored, text => Assert.DoesNotContain(Token, text, StringComparison.Ordinal));

            // With a secret, a copy of the whole database does not decrypt the credentials.
            Assert.Equal(secret is null, stored[1].Contains("masterKey", StringComparison.Ordinal));
        }
        finally
        {
            await cluster.DropAsync(connection);
        }
    }

    [Fact]
    public async Task Credentials_that_an_earlier_version_wrote_in_clear_are_encrypted_at_the_next_start()
    {
        using var file = new SqliteFile();
        await using (var broker = await OwnBroker.StartOnAsync($"sqlite:{file.Path}", null)) await KeepsTheSecretAsync(broker);
        await ExecuteAsync(file, $$"""UPDATE repository SET credentials = '{"token":"{{Token}}"}'""");

        await using var again = await OwnBroker.StartOnAsync($"sqlite:{file.Path}", null);
        Assert.Contains(Token, await again.Client.GetStringAsync(new Uri("/repository", UriKind.Relative), Ct), StringComparison.Ordinal);
        await Eventually.TrueAsync(() => StoredAsync(file).ContinueWith(text => text.Result.StartsWith("dp1:", StringComparison.Ordinal), TaskScheduler.Default));
        Assert.Contains(Token, await again.Client.GetStringAsync(new Uri("/repository", UriKind.Relative), Ct), StringComparison.Ordinal);
    }

    [Fact]
    public void A_new_key_in_the_ring_leaves_old_values_readable_and_calls_them_stale()
    {
        using var folder = new TempFolder();
        var settings = new DataProtectionSettings { KeyRing = Path.Combine(folder.Path, "ring") };
        using var before = Cipher(settings, new TestClock());
        var old = before.Encrypt("text");
        Assert.Equal(new Deciphered("text", false), before.Decrypt(old));
        NewKey(settings);

        using var after = Cipher(settings, new TestClock());
        Assert.Equal(new Deciphered("text", true), after.Decrypt(old));
        Assert.Equal(new Deciphered("text", false), after.Decrypt(after.Encrypt("text")));
    }

    [Fact]
    public void A_broker_reads_what_another_encrypted_under_a_key_that_it_does_not_know_yet()
    {
        using var folder = new TempFolder();
        var settings = new DataProtectionSettings { KeyRing = Path.Combine(folder.Path, "ring") };
        var clock = new TestClock();
        using var early = Cipher(settings, clock);
        early.Encrypt("anything");
        NewKey(settings);
        using var late = Cipher(settings, clock);
        clock.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal("text", early.Decrypt(late.Encrypt("text")).Text);
    }

    [Fact]
    public void A_file_of_the_ring_that_is_not_regular_is_skipped_without_waiting()
    {
        using var folder = new TempFolder();
        var settings = new DataProtectionSettings { KeyRing = folder.Path };
        using (var before = Cipher(settings, new TestClock())) before.Encrypt("anything");
        using (var made = Process.Start("mkfifo", [Path.Combine(folder.Path, "key-pipe.xml")])) made.WaitForExit();
        File.CreateSymbolicLink(Path.Combine(folder.Path, "key-zero.xml"), "/dev/zero");

        using var after = Cipher(settings, new TestClock());
        Assert.Equal("text", after.Decrypt(after.Encrypt("text")).Text);
    }

    [Fact]
    public void A_secret_encrypts_the_ring_and_can_be_changed()
    {
        using var folder = new TempFolder();
        var settings = new DataProtectionSettings { KeyRing = Path.Combine(folder.Path, "ring"), Secret = Secret };
        using var first = Cipher(settings, new TestClock());
        var value = first.Encrypt("text");
        var ring = string.Concat(Directory.GetFiles(settings.KeyRing).Select(File.ReadAllText));
        Assert.Contains("secretEncrypted", ring, StringComparison.Ordinal);
        Assert.DoesNotContain("masterKey", ring, StringComparison.Ordinal);

        using var changed = Cipher(settings with { Secret = "the next secret, which is longer", PreviousSecret = Secret }, new TestClock());
        Assert.Equal("text", changed.Decrypt(value).Text);
        using var wrong = Cipher(settings with { Secret = "not the secret at all" }, new TestClock());
        Assert.Throws<CredentialsUnreadableException>(() => wrong.Decrypt(value));
        using var without = Cipher(settings with { Secret = null }, new TestClock());
        Assert.Throws<CredentialsUnreadableException>(() => without.Decrypt(value));
        Assert.Throws<CredentialsUnreadableException>(() => first.Decrypt("no base64 !"));
    }

    [Fact]
    public async Task A_lost_ring_is_a_500_that_shows_no_credential()
    {
        using var file = new SqliteFile();
        var logs = new RecordedLogs();
        await using (var broker = await OwnBroker.StartOnAsync($"sqlite:{file.Path}", null)) await KeepsTheSecretAsync(broker);
        Directory.Delete(Path.ChangeExtension(file.Path, ".keys"), recursive: true);

        await using var again = await OwnBroker.StartOnAsync($"sqlite:{file.Path}", logs);
        using var answer = await again.Client.GetAsync(new Uri("/repository", UriKind.Relative), Ct);
        Assert.Equal(500, (int)answer.StatusCode);
        Assert.DoesNotContain("dp1", await answer.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        await Eventually.TrueAsync(() => logs.Lines.Any(line => line.Values.Count > 0 && line.Text.Contains("/repository failed", StringComparison.Ordinal)));
    }

    /// <summary>Workers are given them; nothing else of the broker shows them.</summary>
    private static async Task KeepsTheSecretAsync(OwnBroker broker)
    {
        using (var put = new StringContent(Body, Encoding.UTF8, "application/json"))
        using (var answer = await broker.Client.PostAsync(new Uri("/repository/register", UriKind.Relative), put, Ct)) Assert.Equal(204, (int)answer.StatusCode);
        Assert.Equal(Body, await broker.Client.GetStringAsync(new Uri("/repository?name=invoices", UriKind.Relative), Ct));
        Assert.Equal($"[{Body}]", await broker.Client.GetStringAsync(new Uri("/repository", UriKind.Relative), Ct));

        using var wrong = new StringContent($$$"""{"name":7,"url":"u","workflows":[],"credentials":{"token":["{{{Token}}}"]}}""", Encoding.UTF8, "application/json");
        using var refused = await broker.Client.PostAsync(new Uri("/repository/register", UriKind.Relative), wrong, Ct);
        Assert.Equal(422, (int)refused.StatusCode);
        Assert.DoesNotContain(Token, await refused.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
    }

    private static async Task<string> RestartedAsync(string databaseUrl)
    {
        await using var broker = await OwnBroker.StartOnAsync(databaseUrl, null);
        return await broker.Client.GetStringAsync(new Uri("/repository?name=invoices", UriKind.Relative), Ct);
    }

    private static CredentialCipher Cipher(DataProtectionSettings settings, TimeProvider clock) =>
        new(() => Ring(settings), clock, NullLogger.Instance);

    private static ServiceProvider Ring(DataProtectionSettings settings) =>
        DataProtectionKeys.Open(settings, new(settings.KeyRing), Absent.Of<IDataKeyStore>(), NullLoggerFactory.Instance);

    private static void NewKey(DataProtectionSettings settings)
    {
        using var ring = Ring(settings);
        var now = TimeProvider.System.GetUtcNow();
        ring.GetRequiredService<IKeyManager>().CreateNewKey(now, now.AddDays(90));
    }

    private static string[] KeyFiles(SqliteFile file) => Directory.GetFiles(Path.ChangeExtension(file.Path, ".keys"));

    // Another process reads the files. The lock file is locked as a whole, and .NET asks for a lock with every open. Closing the database file here
    // would end SQLite's locks on it.
    private static string ReadShared(string path)
    {
        using var reader = Process.Start(new ProcessStartInfo("cat", [path]) { RedirectStandardOutput = true, StandardOutputEncoding = Encoding.Latin1 })!;
        var content = reader.StandardOutput.ReadToEnd();
        reader.WaitForExit();
        Assert.Equal(0, reader.ExitCode);
        return content;
    }

    private static async Task ExecuteAsync(SqliteFile file, string sql)
    {
        await using var connection = new SqliteConnection(file.ConnectionString);
        await connection.OpenAsync(Ct);
        await using var command = new SqliteCommand(sql, connection);
        Assert.Equal(1, await command.ExecuteNonQueryAsync(Ct));
    }

    private static async Task<string> StoredAsync(SqliteFile file)
    {
        await using var connection = new SqliteConnection(file.ConnectionString);
        await connection.OpenAsync(Ct);
        await using var command = new SqliteCommand("SELECT credentials FROM repository", connection);
        return (string)(await command.ExecuteScalarAsync(Ct))!;
    }

    private static async Task<List<string>> ColumnsAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(Ct);
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(Ct);
        var texts = new List<string>();
        while (await reader.ReadAsync(Ct)) texts.Add(reader.GetString(0));
        return texts;
    }
}
