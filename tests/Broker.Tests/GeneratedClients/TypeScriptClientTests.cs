using System.Text;
using System.Text.Json;
using Broker.Testing;
using Broker.Tests.App;
using Xunit;

namespace Broker.Tests.GeneratedClients;

/// <summary>A client that openapi-typescript made from the document, compiled with <c>--strict</c> and run by node; and the lint of the documents.</summary>
public sealed class TypeScriptClientTests(SqliteApp host) : IClassFixture<SqliteApp>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_operation_can_be_called_and_answers_as_described()
    {
        using var folder = new TempFolder();
        await NodePackages.UseAsync(folder);
        await SaveAsync(folder, "openapi.json");

        // The walk makes keys, and after that the broker asks for one.
        await using var broker = await OwnBroker.StartAsync();
        await NodePackages.RunAsync(folder, "node_modules/openapi-typescript/bin/cli.js", "openapi.json", "-o", "schema.ts");
        await NodePackages.RunAsync(folder, "node_modules/typescript/bin/tsc", "-p", ".");
        var lines = await NodePackages.RunAsync(folder, "out/walk.js", broker.Address.AbsoluteUri.TrimEnd('/'));

        var described = await DescribedAnswersHandler.DocumentAsync(host.Services);
        var called = new HashSet<string>(StringComparer.Ordinal);
        foreach (var answer in lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line)))
        {
            var (method, body) = (answer.GetProperty("method").GetString()!, answer.GetProperty("body").GetString()!);
            called.Add($"{method} {answer.GetProperty("template").GetString()}");
            var judged = described.Judge(
                method, answer.GetProperty("path").GetString()!, answer.GetProperty("status").GetInt32(), answer.GetProperty("type").GetString(),
                answer.GetProperty("headers").EnumerateArray().Select(name => name.GetString()!), Encoding.UTF8.GetBytes(body));
            Assert.True(judged is { Problem: null }, $"{judged?.Answer}: {judged?.Problem}: {body}");
        }

        Assert.Empty((await OperationsAsync()).Except(called));
    }

    [Fact]
    public async Task The_recommended_rules_of_redocly_find_nothing()
    {
        using var folder = new TempFolder();
        await NodePackages.UseAsync(folder);
        foreach (var name in (string[])["openapi.json", "openapi-aliases.json"]) await SaveAsync(folder, name);
        var report = await NodePackages.RunAsync(folder, "node_modules/@redocly/cli/bin/cli.js", "lint", "openapi.json", "openapi-aliases.json", "--format=json", "--config=redocly.yaml");
        var reports = Reports(Encoding.UTF8.GetBytes(report[report.IndexOf('{', StringComparison.Ordinal)..]));
        Assert.Equal(2, reports.Count);
        Assert.Empty(reports.SelectMany(found => found.GetProperty("problems").EnumerateArray()).Select(problem => $"{problem.GetProperty("ruleId")}: {problem.GetProperty("message")}"));
    }

    // One after the other, one for each document.
    private static List<JsonElement> Reports(ReadOnlySpan<byte> text)
    {
        var reader = new Utf8JsonReader(text, new JsonReaderOptions { AllowMultipleValues = true });
        var reports = new List<JsonElement>();
        while (reader.Read()) reports.Add(JsonElement.ParseValue(ref reader));
        return reports;
    }

    private async Task SaveAsync(TempFolder folder, string name) =>
        await File.WriteAllTextAsync(Path.Combine(folder.Path, name), await host.Client.GetStringAsync(new Uri($"/{name}", UriKind.Relative), Ct), Ct);

    private async Task<IEnumerable<string>> OperationsAsync() =>
        from path in JsonElement.Parse(await host.Client.GetStringAsync(new Uri("/openapi.json", UriKind.Relative), Ct)).GetProperty("paths").EnumerateObject()
        from operation in path.Value.EnumerateObject()
        select $"{operation.Name.ToUpperInvariant()} {path.Name}";
}
