using System.Text.Json.Nodes;
using Broker.Testing;
using Broker.Tests.App;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;
using Microsoft.OpenApi.Reader;
using Xunit;

namespace Broker.Tests.Host;

public sealed class ApiDocumentTests(SqliteApp host) : IClassFixture<SqliteApp>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_document_is_valid()
    {
        var read = await ReadAsync();
        Assert.Empty(read.Diagnostic!.Errors.Select(error => error.ToString()));
        Assert.Empty(read.Diagnostic.Warnings.Select(warning => warning.ToString()));
        Assert.Equal("Broker API", read.Document!.Info.Title);
        Assert.Equal(("MIT", "https://opensource.org/license/mit"), (read.Document.Info.License!.Name, read.Document.Info.License.Url?.AbsoluteUri));
        Assert.StartsWith("MIT License", await File.ReadAllTextAsync(Path.Combine(RepositoryLayout.Root, "LICENSE"), Ct), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Second_paths_are_in_a_valid_document_of_their_own()
    {
        var aliases = await ReadAsync("/openapi-aliases.json");
        Assert.Empty(aliases.Diagnostic!.Errors.Concat(aliases.Diagnostic.Warnings).Select(fault => fault.ToString()));
        Assert.Contains("/agents/workflows", aliases.Document!.Paths.Keys);
        Assert.Contains("/api/workflows/{workflowName}/instances", aliases.Document.Paths.Keys);
        Assert.Contains("/workflows/{workflowName}/instances", aliases.Document.Paths.Keys);
        Assert.Contains("/broker/workflow/step", aliases.Document.Paths.Keys);
        Assert.Empty(aliases.Document.Paths.Keys.Intersect((await ReadAsync()).Document!.Paths.Keys));
    }

    [Fact]
    public async Task Jobs_come_first_and_operators_second()
    {
        var document = (await ReadAsync()).Document!;
        Assert.Equal(["Jobs dialect", "Operators", "Broker dialect", "Handlers dialect", "Instances dialect", "Operations"], document.Tags!.Select(tag => tag.Name));
        Assert.Equal("Jobs dialect", document.Paths.First().Value.Operations!.First().Value.Tags!.First().Name);
    }

    [Fact]
    public async Task The_yaml_is_the_same_document()
    {
        var yaml = await host.Client.GetStringAsync(new Uri("/openapi.yaml", UriKind.Relative), Ct);
        Assert.StartsWith("openapi: ", yaml, StringComparison.Ordinal);
        Assert.Contains("operationId: Ready", yaml, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_route_is_described()
    {
        var described = (await OperationsAsync()).Select(operation => operation.Value.OperationId).ToHashSet();
        var mapped = host.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<IExcludeFromDescriptionMetadata>() is not { ExcludeFromDescription: true })
            .Where(endpoint => endpoint.RoutePattern.RawText?.Contains("documentName", StringComparison.Ordinal) is not true);

        Assert.Empty(mapped.Where(endpoint => !described.Contains(endpoint.Metadata.GetMetadata<IEndpointNameMetadata>()?.EndpointName))
            .Select(endpoint => endpoint.DisplayName));
    }

    [Fact]
    public async Task Every_operation_has_a_summary_a_known_group_an_answer_and_an_id_of_its_own()
    {
        var groups = (await ReadAsync()).Document!.Tags!.Select(tag => tag.Name).ToHashSet();
        var operations = await OperationsAsync();

        Assert.NotEmpty(operations);
        Assert.Empty(operations.Where(o => string.IsNullOrEmpty(o.Value.Summary)).Select(o => o.Key));
        Assert.Empty(operations.Where(o => o.Value.Tags is not { Count: 1 } || !groups.Contains(o.Value.Tags.Single().Name)).Select(o => o.Key));
        Assert.Empty(operations.Where(o => o.Value.Responses is not { Count: > 0 }).Select(o => o.Key));
        Assert.Empty(operations.GroupBy(o => o.Value.OperationId).Where(same => same.Count() > 1 || same.Key is null).Select(same => same.Key));
    }

    [Fact]
    public async Task Every_json_body_has_an_example()
    {
        var operations = await OperationsAsync();
        var bare = new List<string>();
        foreach (var (where, operation) in operations)
        {
            bare.AddRange(Bare(operation.RequestBody?.Content).Select(type => $"{where} request {type}"));
            foreach (var (status, answer) in operation.Responses!.Where(answer => answer.Key.StartsWith('2')))
                bare.AddRange(Bare(answer.Content).Select(type => $"{where} {status} {type}"));
        }

        Assert.Empty(bare);
    }

    [Fact]
    public async Task Objects_take_unknown_members()
    {
        var json = JsonNode.Parse(await host.Client.GetStringAsync(new Uri("/openapi.json", UriKind.Relative), Ct))!;
        Assert.DoesNotContain("\"additionalProperties\":false", json.ToJsonString(), StringComparison.Ordinal);
    }

    /// <summary>The security scheme makes the page show its Authorize button.</summary>
    [Fact]
    public async Task Operations_ask_for_a_key_and_name_its_scopes()
    {
        var json = JsonNode.Parse(await host.Client.GetStringAsync(new Uri("/openapi.json", UriKind.Relative), Ct))!;
        Assert.Equal("bearer", json["components"]!["securitySchemes"]!["bearer"]!["scheme"]!.GetValue<string>());
        Assert.Equal("[\"worker\"]", json["paths"]!["/api/jobs/claim"]!["post"]!["security"]![0]!["bearer"]!.ToJsonString());
        Assert.NotNull(json["paths"]!["/api/jobs/claim"]!["post"]!["responses"]!["401"]);
        Assert.Empty(json["paths"]!["/readyz"]!["get"]!["security"]!.AsArray());
    }

    [Fact]
    public async Task The_page_comes_from_the_program_itself()
    {
        var page = await host.Client.GetStringAsync(new Uri("/docs/index.html", UriKind.Relative), Ct);
        Assert.Contains("swagger-ui", page, StringComparison.Ordinal);
        Assert.DoesNotContain("src=\"http", page, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Bare(IDictionary<string, IOpenApiMediaType>? content) =>
        (content ?? new Dictionary<string, IOpenApiMediaType>())
            .Where(body => body.Key == "application/json" && body.Value is { Example: null, Examples: null or { Count: 0 } })
            .Select(body => body.Key);

    private async Task<List<KeyValuePair<string, OpenApiOperation>>> OperationsAsync() =>
    [
        .. from document in (OpenApiDocument[])[(await ReadAsync()).Document!, (await ReadAsync("/openapi-aliases.json")).Document!]
           from path in document.Paths
           from operation in path.Value.Operations ?? []
           select KeyValuePair.Create($"{operation.Key} {path.Key}", operation.Value),
    ];

    private async Task<ReadResult> ReadAsync(string path = "/openapi.json")
    {
        await using var stream = await host.Client.GetStreamAsync(new Uri(path, UriKind.Relative), Ct);
        using var copy = new MemoryStream();
        await stream.CopyToAsync(copy, Ct);
        copy.Position = 0;
        return await OpenApiDocument.LoadAsync(copy, "json", cancellationToken: Ct);
    }
}
