using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Broker.Api.InstancesDialect;
using Broker.Api.JobsDialect;
using Broker.Auth;
using Broker.Core.Explanations;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Operators;
using Broker.Testing;
using Broker.Tests.App;
using Xunit;

namespace Broker.Tests.Host;

/// <summary>Parameters, members, words and refusals in the API documents.</summary>
public sealed partial class ApiDescriptionTests(SqliteApp host) : IClassFixture<SqliteApp>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static TheoryData<string> Documents => ["/openapi.json", "/openapi-aliases.json"];

    [Theory]
    [MemberData(nameof(Documents))]
    public async Task Every_parameter_and_every_member_has_a_text(string path)
    {
        var document = await DocumentAsync(path);
        var parameters = from operation in Operations(document)
                         from parameter in operation.Node["parameters"]?.AsArray() ?? []
                         where string.IsNullOrWhiteSpace(parameter!["description"]?.GetValue<string>())
                         select $"{operation.Name}: {parameter["name"]}";
        Assert.Empty(parameters);
        Assert.Empty(Members(document).Where(member => string.IsNullOrWhiteSpace(member.Node["description"]?.GetValue<string>())).Select(member => member.Name));
        Assert.Empty(document["components"]!["schemas"]!.AsObject().Where(schema => schema.Value!["type"]?.ToJsonString() == "\"object\"" && schema.Value["description"] is null).Select(schema => schema.Key));
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public async Task Every_member_has_a_type_unless_it_takes_any_json(string path)
    {
        string[] anyJson =
        [
            "config", "context", "data", "default", "document", "error", "event", "events", "input", "inputs", "kwargs", "metadata", "output", "params", "payload", "progress", "result", "results",
            "schema", "start", "start_event", "stop", "tags", "text", "value", "workflow_inputs", "event_schema", "description", "emissions",
        ];
        var untyped = from member in Members(await DocumentAsync(path))
                      where member.Node["type"] is null && member.Node["$ref"] is null && member.Node["anyOf"] is null && (member.Node["oneOf"] is null || member.Node["oneOf"]![1]!["not"] is not null)
                      where !anyJson.Contains(member.Name[(member.Name.LastIndexOf('.') + 1)..])
                      select member.Name;
        Assert.Empty(untyped);
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public async Task Parameters_are_optional_but_those_of_the_path_and_the_id_of_a_worker(string path)
    {
        var required = from operation in Operations(await DocumentAsync(path))
                       from parameter in operation.Node["parameters"]?.AsArray() ?? []
                       where parameter!["in"]!.GetValue<string>() != "path" && parameter["required"]?.GetValue<bool>() is true
                       select parameter["name"]!.GetValue<string>();
        Assert.All(required, name => Assert.Equal("worker_id", name));
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public async Task Every_refusal_has_a_body_and_an_example_of_it(string path)
    {
        var document = await DocumentAsync(path);
        var bare = from operation in Operations(document)
                   from answer in operation.Node["responses"]!.AsObject()
                   where answer.Key is "401" or "403" or "429" or "500" or "503"
                   let described = answer.Value!["$ref"] is { } name ? document["components"]!["responses"]![name.GetValue<string>().Split('/')[^1]]! : answer.Value
                   where described["content"] is not JsonObject { Count: > 0 } content || content.Any(body => body.Value!["example"] is null || body.Value["schema"] is null)
                   select $"{operation.Name} {answer.Key}";
        Assert.Empty(bare);
    }

    [Theory]
    [InlineData("/api/workers/{id}/heartbeat", "post", "worker")]
    [InlineData("/api/workflows/{id}/status", "get", "workflow")]
    [InlineData("/worker/keep-alive", "post", "worker_id")]
    [InlineData("/results/{handler_id}", "get", "Handler")]
    [InlineData("/workflows/{name}/run", "post", "Workflow")]
    [InlineData("/api/workflows/workflows/{workflowName}/instances/{instanceId}", "get", "INSTANCE_NOT_FOUND")]
    [InlineData("/api/workflows/workflows/{workflowName}/instances", "get", "WORKFLOW_NOT_FOUND")]
    [InlineData("/api/v1/workers/{worker}", "get", "worker")]
    [InlineData("/api/v1/runs/{workflow}/{instance}/steps/{step}", "get", "step")]
    [InlineData("/api/v1/runs/{workflow}/{instance}", "get", "instance")]
    public async Task The_example_of_a_404_is_about_what_the_path_names(string path, string method, string word)
    {
        var answer = (await DocumentAsync("/openapi.json"))["paths"]![path]![method]!["responses"]!["404"]!["content"]!.AsObject();
        Assert.Contains(word, answer.First().Value!["example"]!.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Words_are_those_of_the_code()
    {
        var document = await DocumentAsync("/openapi.json");
        string[] runs = [.. Enum.GetValues<RunStatus>().Select(RunWords.Of)];
        string[] causes = [.. Enum.GetValues<CauseKind>().Select(RunWords.Of)];
        string[] instances = [.. Enum.GetValues<RunStatus>().Select(InstancesStatuses.WordOf), InstancesStatuses.Active];
        AssertWords(document, "RunSummary.status", runs);
        AssertWords(document, "RunDetail.status", runs);
        AssertWords(document, "RunExplanation.status", runs);
        AssertWords(document, "LastRun.status", runs);
        AssertWords(document, "StepDetail.run_status", runs);
        AssertWords(document, "RunChange.status", [.. runs, "deleted"]);
        AssertWords(document, "StepSummary.status", [.. RunWords.StepStatuses]);
        AssertWords(document, "StepSummary.kind", [.. Enum.GetValues<Core.Definitions.StepKind>().Select(RunWords.Of)]);
        AssertWords(document, "StepAttempt.outcome", ["running", "succeeded", "skipped", .. Enum.GetValues<AttemptOutcome>().Select(RunWords.Of)]);
        AssertWords(document, "StepCause.code", causes);
        AssertWords(document, "Me.scopes", [.. ScopeWords.Of(Scope.Any)]);
        AssertWords(document, "OperatorProblem.code", [.. ProblemCodes.All.Select(code => code.Word)]);
        AssertWords(document, "JobsJob.status", JobsStatuses.All);
        AssertWords(document, "JobsRunJob.status", JobsStatuses.All);
        AssertWords(document, "JobsJobRun.status", [.. Enum.GetValues<RunStatus>().Select(JobsStatuses.OfRun).Distinct()]);
        AssertWords(document, "JobsJobVerdict.verdict", [.. Enum.GetValues<ReportVerdict>().Select(Reports.Word).Distinct(), "invalid"]);
        AssertWords(document, "InstancesStatusDetails.status", instances);
        AssertWords(document, "HandlersHandler.status", [.. Enum.GetValues<RunStatus>().Select(Api.HandlersDialect.HandlersStatuses.Of).Distinct()]);
        AssertWords(document, "BrokerStepVerdict.verdict", [.. Enum.GetValues<ReportVerdict>().Select(Api.BrokerDialect.BrokerStatuses.WordOf)]);
        AssertWords(document, "BrokerHeldStepVerdict.verdict", [.. Enum.GetValues<HeartbeatVerdict>().Select(Api.BrokerDialect.BrokerStatuses.WordOf).Distinct()]);
    }

    /// <summary>A member with such a name takes one of a few words.</summary>
    [Theory]
    [MemberData(nameof(Documents))]
    public async Task A_member_of_fixed_words_lists_them(string path)
    {
        string[] suspects = ["status", "state", "kind", "verdict", "outcome", "direction", "stream", "level", "code", "run_status", "backoff", "if_active", "if_exists", "node_type"];
        var open = from member in Members(await DocumentAsync(path))
                   where suspects.Contains(member.Name[(member.Name.LastIndexOf('.') + 1)..])
                   where IsText(member.Node) && member.Node["enum"] is null

                   // A port is shown as its author wrote it.
                   where member.Name != "JobsPort.direction"
                   select member.Name;
        Assert.Equal(["InstancesInstanceError.code"], open.Distinct());
    }

    [Fact]
    public async Task Codes_of_problems_are_listed_in_their_page()
    {
        var page = await File.ReadAllTextAsync(Path.Combine(RepositoryLayout.Root, "docs", "problems.md"), Ct);
        Assert.Equal(ProblemCodes.All, CodeRow().Matches(page).Select(row => new ProblemCode(row.Groups["word"].Value, int.Parse(row.Groups["status"].ValueSpan, System.Globalization.CultureInfo.InvariantCulture), row.Groups["meaning"].Value)));
    }

    [Fact]
    public void Codes_of_problems_in_the_source_are_listed()
    {
        var known = ProblemCodes.All.ToDictionary(code => code.Word, code => code.Status);
        var sources = Directory.EnumerateFiles(Path.Combine(RepositoryLayout.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(file => file.Contains("Operator", StringComparison.Ordinal) && !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("Broker.Sdk", StringComparison.Ordinal));
        var used = sources.SelectMany(file => CodeUse().Matches(File.ReadAllText(file))).Select(use => use.Groups["word"].Value).Distinct().ToList();
        Assert.True(used.Count > 8);
        Assert.Empty(used.Except(known.Keys));
    }

    [GeneratedRegex(@"^\| `(?<word>\w+)` \| (?<status>\d+) \| (?<meaning>.+) \|$", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex CodeRow();

    [GeneratedRegex(@"(Status4\d\d\w+,\s*|Invalid\(|new\(4\d\d, )""(?<word>\w+)""", RegexOptions.ExplicitCapture)]
    private static partial Regex CodeUse();

    private static void AssertWords(JsonNode document, string member, string[] words)
    {
        var (schema, name) = (member.Split('.')[0], member.Split('.')[1]);
        var node = document["components"]!["schemas"]![schema]?["properties"]?[name];
        Assert.True(node is not null, $"{member} is not in the document");
        var listed = (node["enum"] ?? node["items"]?["enum"])?.AsArray().Where(word => word is not null).Select(word => word!.GetValue<string>());
        Assert.True(listed is not null, $"{member} has no words");
        Assert.Equal(words.Order(StringComparer.Ordinal), listed.Order(StringComparer.Ordinal));
    }

    private static bool IsText(JsonNode node) => node["type"] is { } type && type.ToJsonString().Contains("\"string\"", StringComparison.Ordinal);

    private static IEnumerable<(string Name, JsonNode Node)> Operations(JsonNode document) =>
        from path in document["paths"]!.AsObject()
        from operation in path.Value!.AsObject()
        select ($"{operation.Key} {path.Key}", operation.Value!);

    /// <summary>Members of objects, at any depth, as <c>Schema.member</c>.</summary>
    private static IEnumerable<(string Name, JsonNode Node)> Members(JsonNode document) =>
        document["components"]!["schemas"]!.AsObject().SelectMany(schema => Members(schema.Key, schema.Value!));

    private static IEnumerable<(string Name, JsonNode Node)> Members(string name, JsonNode schema)
    {
        foreach (var (member, node) in schema["properties"]?.AsObject() ?? [])
        {
            yield return ($"{name}.{member}", node!);
            foreach (var inner in Members($"{name}.{member}", node!)) yield return inner;
        }

        foreach (var form in (string[])["oneOf", "anyOf", "allOf"])
        {
            foreach (var inner in (schema[form]?.AsArray() ?? []).SelectMany(node => Members(name, node!))) yield return inner;
        }

        if (schema["items"] is { } items) foreach (var inner in Members(name, items)) yield return inner;
    }

    private async Task<JsonNode> DocumentAsync(string path) => JsonNode.Parse(await host.Client.GetStringAsync(new Uri(path, UriKind.Relative), Ct))!;
}
