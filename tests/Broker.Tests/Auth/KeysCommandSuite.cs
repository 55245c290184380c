using System.Text.RegularExpressions;
using Broker.Auth;
using Broker.Commands;
using Broker.Testing;
using Xunit;

namespace Broker.Tests.Auth;

/// <summary>The command line, on a database that no broker has used yet.</summary>
public abstract class KeysCommandSuite : IAsyncLifetime
{
    private string database = "";

    private protected abstract Task<string> CreateDatabaseAsync();

    private protected abstract Task DropDatabaseAsync();

    public async ValueTask InitializeAsync() => database = await CreateDatabaseAsync();

    public async ValueTask DisposeAsync()
    {
        await DropDatabaseAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_key_is_created_listed_and_revoked()
    {
        var (created, key, said) = await RunAsync("keys", "create", "--name", "build server", "--scopes=worker,read", "--workflows", "ci, nightly");
        Assert.Equal(0, created);
        Assert.Matches("^brk_[a-z0-9]{12}_[A-Za-z0-9]{40}$", key);
        Assert.Contains("with read,worker on the workflows ci, nightly", said, StringComparison.Ordinal);
        Assert.DoesNotContain(key, said, StringComparison.Ordinal);

        var id = ApiKey.IdOf(key).ToString();
        var (listed, list, _) = await RunAsync("keys", "list");
        Assert.Equal(0, listed);
        Assert.Matches($"{id} +build server +read,worker +ci,nightly +[0-9Z: -]+ +never +valid", list);
        Assert.DoesNotContain(key[^40..], list, StringComparison.Ordinal);

        var (revoked, told, _) = await RunAsync("keys", "revoke", id);
        Assert.Equal(0, revoked);
        Assert.Contains(id, told, StringComparison.Ordinal);
        Assert.Matches($"{id} .*revoked ", (await RunAsync("keys", "list")).Output);

        var (again, _, why) = await RunAsync("keys", "revoke", id);
        Assert.Equal(1, again);
        Assert.Contains("broker keys list", why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_names_no_workflows_is_for_all()
    {
        var (_, _, said) = await RunAsync("keys", "create", "--name", "operator", "--scopes", "admin");
        Assert.Contains("with admin on all workflows", said, StringComparison.Ordinal);
        Assert.Matches("operator +admin +all +", (await RunAsync("keys", "list")).Output);

        var (printed, _, settings) = await RunAsync("keys", "create", "--name", "operator", "--scopes", "admin", "--print-config");
        Assert.Equal(0, printed);
        Assert.DoesNotContain("Workflows", settings, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_was_found_can_be_revoked_as_it_is()
    {
        var (_, key, _) = await RunAsync("keys", "create", "--name", "lost", "--scopes", "admin");
        var (revoked, told, _) = await RunAsync("keys", "revoke", key);
        Assert.Equal(0, revoked);
        Assert.DoesNotContain(key, told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_configured_key_is_listed_and_left_to_the_configuration()
    {
        Assert.Contains("(configuration)", (await RunAsync(["keys", "list", .. TestKeys.Settings])).Output, StringComparison.Ordinal);
        var (code, _, why) = await RunAsync(["keys", "revoke", "reader", .. TestKeys.Settings]);
        Assert.Equal(1, code);
        Assert.Contains("take it out of Broker:Auth:Keys", why, StringComparison.Ordinal);
    }

    private protected async Task<(int Code, string Output, string Errors)> RunAsync(params string[] args)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        var code = await CommandLine.RunAsync([.. args, $"--DATABASE_URL={database}"], output, errors);
        return (code, output.ToString().TrimEnd(), errors.ToString().TrimEnd());
    }
}

public sealed class PostgresKeysCommandTests(PostgresCluster cluster) : KeysCommandSuite
{
    private string? connectionString;

    private protected override async Task<string> CreateDatabaseAsync()
    {
        PostgresCluster.Require();
        return connectionString = await cluster.CreateEmptyDatabaseAsync();
    }

    private protected override async Task DropDatabaseAsync()
    {
        if (connectionString is not null) await cluster.DropAsync(connectionString);
    }
}

public sealed class SqliteKeysCommandTests : KeysCommandSuite
{
    private readonly SqliteFile file = new();

    private protected override Task<string> CreateDatabaseAsync() => Task.FromResult($"sqlite:{file.Path}");

    private protected override Task DropDatabaseAsync()
    {
        file.Dispose();
        return Task.CompletedTask;
    }
}

/// <summary>Answers of the command line before it opens a database.</summary>
public sealed class KeysCommandLineTests
{
    [Theory]
    [InlineData("keys", "Required command was not provided.")]
    [InlineData("keys delete", "'delete' is one word too many")]
    [InlineData("keys create", "Option '--name' is required.")]
    [InlineData("keys create --name a", "Option '--scopes' is required.")]
    [InlineData("keys create --name a --scopes reed", "write --scopes")]
    [InlineData("keys create --name a --scopes", "Required argument missing for option: '--scopes'.")]
    [InlineData("keys create --name a --scopes read --workflows ,", "write --workflows")]
    [InlineData("keys create --name a --scopes read --admin", "unknown option --admin")]
    [InlineData("keys create a --scopes read", "'a' is one word too many")]
    [InlineData("keys create my key --name a --scopes read", "needs quotes")]
    [InlineData("keys list --name a", "unknown option --name")]
    [InlineData("keys revoke", "Required argument 'ID' missing for command")]
    [InlineData("keys revoke a b", "'b' is one word too many")]
    [InlineData("kees list", "'kees' is no command")]
    public async Task A_wrong_command_line_is_answered_with_what_to_write(string line, string expected)
    {
        using var errors = new StringWriter();
        Assert.Equal(2, await CommandLine.RunAsync(line.Split(' '), TextWriter.Null, errors));
        Assert.Contains(expected, errors.ToString(), StringComparison.Ordinal);
        Assert.Contains("Usage:", errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_message_on_an_unusable_database_omits_its_password()
    {
        using var errors = new StringWriter();
        var code = await CommandLine.RunAsync(["keys", "list", "--DATABASE_URL=postgres://me:hunter2@127.0.0.1:1/none"], TextWriter.Null, errors);
        Assert.Equal(1, code);
        Assert.Contains("the database cannot be used", errors.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Configuration_can_be_printed_instead_and_is_read_back()
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        Assert.Equal(0, await CommandLine.RunAsync(["keys", "create", "--name", "a", "--scopes", "read", "--workflows", "w", "--print-config"], output, errors));

        var lines = Regex.Matches(errors.ToString(), "^Broker__Auth__Keys__N__(?<name>\\w+)=(?<value>.*?)\r?$", RegexOptions.Multiline).ToDictionary(line => line.Groups["name"].Value, line => line.Groups["value"].Value);
        var key = output.ToString().Trim();
        Assert.Equal((ApiKey.IdOf(key).ToString(), ApiKey.HashOf(key), "read", "w"), (lines["Id"], lines["Hash"], lines["Scopes"], lines["Workflows"]));
    }
}
