using System.Text.Json;
using Broker.Auth;
using Broker.Commands;
using Broker.Testing;
using Broker.Tests.App;
using Broker.Tests.Auth;
using Xunit;

namespace Broker.Tests.Cli;

/// <summary><c>broker keys</c> over the API: where the command line names a broker, and in the tool.</summary>
public sealed class CliKeyTests
{
    [Fact]
    public async Task A_key_is_made_listed_and_revoked_on_the_broker_that_is_named()
    {
        await using var broker = await OwnBroker.StartAsync(TestKeys.Settings);
        using var folder = new TempFolder();
        var file = Path.Combine(folder.Path, "key");
        await File.WriteAllTextAsync(file, TestKeys.Of("admin"), TestContext.Current.CancellationToken);
        string[] named = ["--server", broker.Address.ToString(), "--api-key-file", file];

        var made = await RunAsync(["keys", "create", "--name", "night", "--scopes", "read,manage", "--workflows", "ci", .. named]);
        Assert.Equal(0, made.Code);
        Assert.Matches("^brk_[a-z0-9]{12}_[A-Za-z0-9]{40}\n$", made.Output);
        Assert.Contains("with read,manage on the workflows ci", made.Errors, StringComparison.Ordinal);
        var key = made.Output.TrimEnd();
        var id = ApiKey.IdOf(key).ToString();
        Assert.Equal(200, (await broker.Client.CallAsync(key, "GET", "/api/v1/me")).Status);

        var list = await RunAsync(["keys", "list", .. named]);
        Assert.Matches($"{id} +night +read,manage +ci .+ valid", list.Output);
        Assert.Matches("admin +\\(configuration\\) +.*admin.* +all +- +- +valid", list.Output);
        var json = JsonElement.Parse((await RunAsync(["keys", "list", "-o", "json", .. named])).Output);
        Assert.Contains(id, json.EnumerateArray().Select(item => item.GetProperty("id").GetString()));

        Assert.Equal(0, (await RunAsync(["keys", "revoke", key, .. named])).Code);
        Assert.Equal(401, (await broker.Client.CallAsync(key, "GET", "/api/v1/me")).Status);
        Assert.Equal(8, (await RunAsync(["keys", "revoke", id, .. named])).Code);
        Assert.Equal(3, (await RunAsync(["keys", "revoke", "absent", .. named])).Code);
        Assert.Equal(2, (await RunAsync(["keys", "create", "--name", "a", "--scopes", "read", "--print-config", .. named])).Code);
        Assert.Equal(6, (await RunAsync(["keys", "list", "--server", broker.Address.ToString()])).Code);
        Assert.Equal(7, (await RunAsync(["keys", "list", "--server", "http://127.0.0.1:1"])).Code);
    }

    private static async Task<(int Code, string Output, string Errors)> RunAsync(string[] words)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var errors = new StringWriter { NewLine = "\n" };
        var code = await CommandLine.RunAsync(words, output, errors);
        return (code, output.ToString(), errors.ToString());
    }
}
