using System.Text.Json;
using System.Text.Json.Nodes;
using Broker.Core.Schemas;
using Broker.Tests.App;
using Broker.Tests.Auth;
using Broker.WorkflowFiles;
using Xunit;

namespace Broker.Tests.WorkflowFiles;

/// <summary>The schema for editors says of a file what the reader says.</summary>
public sealed class WorkflowFileSchemaTests
{
    private static readonly JsonElement Document = JsonElement.Parse(WorkflowFileSchema.Read());

    private static readonly JsonSchema Schema = Compile();

    public static TheoryData<string> RealFiles => RealFilesTests.Names;

    [Theory]
    [MemberData(nameof(RealFiles))]
    public void A_file_of_real_life_is_judged_as_the_reader_judges_it(string name)
    {
        var text = File.ReadAllText(Path.Combine(WorkflowFiles.RealFiles.Folder, $"{name}.yml"));

        Assert.Equal(WorkflowFileReader.Read("f.yml", text).File is not null, Errors(text).Count == 0);
    }

    [Theory]
    [InlineData("name: n\non: push\njobs: {}")]
    [InlineData("name: 5\non: [push, true]\nenv: { A: , B: 5 }\njobs: { a: { run: 5, needs: , labels: [1], if: true, timeout: 5, retries: 0 } }")]
    [InlineData("name: n\non: { workflow_dispatch: { inputs: { a: , b: { type: choice, options: [x] } } }, push: { branches: [x] } }\njobs: {}\nx-a: [1]")]
    [InlineData("name: n\non: push\ninputs: { a-b: { type: number, default: 5, required: false, description: d } }\ndefaults: { run: { shell: bash, working-directory: a } }\njobs: {}")]
    [InlineData("name: n\non: push\njobs: { a: { run: x, retry: { max: 3, backoff: { base: 1, max: 5 }, jitter: 0.5, retry_on_exit: [1, 75] }, runs-on: a, priority: -5, timeout-minutes: 0.5 } }")]
    [InlineData("name: n\non: push\njobs: { a: { run: x, retry: { backoff: none } }, b: { run: x, retry: { backoff: 5 }, runs-on: [a, b] } }")]
    [InlineData("name: n\non: push\njobs: { a: { steps: [ { id: a, name: b, run: c, if: 'true', env: { A: b }, shell: sh, working-directory: x, continue-on-error: true, timeout: 5 }, { timeout-minutes: 1 } ], outputs: { a: b } } }")]
    [InlineData("name: n\non: push\njobs: { a: { run: x, strategy: { fail-fast: true, matrix: { a: [1], include: [ { a: 1, b: 2 } ] } }, continue-on-error: '${{ matrix.a == 1 }}' } }")]
    public void A_sound_file_fits(string text)
    {
        Assert.Empty(WorkflowFileReader.Read("f.yml", text).Problems);
        Assert.Empty(Errors(text));
    }

    [Theory]
    [InlineData("on: push\njobs: {}")]
    [InlineData("name: n\njobs: {}")]
    [InlineData("name: n\non: push")]
    [InlineData("name: [n]\non: push\njobs: {}")]
    [InlineData("name: n\non: 5\njobs: {}")]
    [InlineData("name: n\non: push\njobs: []")]
    [InlineData("name: n\non: push\njobs: {}\npermissions: {}")]
    [InlineData("name: n\non: push\njobs: {}\nenv: { A-B: c }")]
    [InlineData("name: n\non: push\njobs: {}\nenv: { A: [] }")]
    [InlineData("name: n\non: push\njobs: {}\ninputs: { a: { type: text } }")]
    [InlineData("name: n\non: push\njobs: {}\ninputs: { a: { typ: string } }")]
    [InlineData("name: n\non: { workflow_dispatch: { input: {} } }\njobs: {}")]
    [InlineData("name: n\non: push\njobs: {}\ndefaults: { shell: sh }")]
    [InlineData("name: n\non: push\njobs: { a: make }")]
    [InlineData("name: n\non: push\njobs: { a: {} }")]
    [InlineData("name: n\non: push\njobs: { a: { steps: [] } }")]
    [InlineData("name: n\non: push\njobs: { '': { run: x } }")]
    [InlineData("name: n\non: push\njobs: { a: { run: x, labels: linux } }")]
    [InlineData("name: n\non: push\njobs: { a: { run: x, labels: [a], runs-on: a } }")]
    [InlineData("name: n\non: push\njobs: { a: { run: x, timeout: 0 } }")]
    [InlineData("name: n\non: push\njobs: { a: { run: x, timeout: 1, timeout-minutes: 1 } }")]
    [InlineData("name: n\non: push\njobs: { a: { run: x, retries: -1 } }")]
    [InlineData("name: n\non: push\njobs: { a: { run: x, retries: 1, retry: { max: 1 } } }")]
    [InlineData("name: n\non: push\njobs: { a: { run: x, retry: { backoff: { max: 1 } } } }")]
    [InlineData("name: n\non: push\njobs: { a: { run: x, retry: { jitter: 2 } } }")]
    [InlineData("name: n\non: push\njobs: { a: { run: x, retry: { retry_on_exit: [0] } } }")]
    [InlineData("name: n\non: push\njobs: { a: { run: x, priority: 5000 } }")]
    [InlineData("name: n\non: push\njobs: { a: { run: x, continue-on-error: maybe } }")]
    [InlineData("name: n\non: push\njobs: { a: { run: x, outputs: { a=b: c } } }")]
    [InlineData("name: n\non: push\njobs: { a: { run: x, strategy: {} } }")]
    [InlineData("name: n\non: push\njobs: { a: { run: x, strategy: { fail-fast: maybe, matrix: { a: [1] } } } }")]
    [InlineData("name: n\non: push\njobs: { a: { run: x, strategy: { matrix: { a: [] } } } }")]
    [InlineData("name: n\non: push\njobs: { a: { run: x, strategy: { matrix: {} } } }")]
    [InlineData("name: n\non: push\njobs: { a: { steps: [ { uses: x } ] } }")]
    [InlineData("name: n\non: push\njobs: { a: { steps: [ x ] } }")]
    [InlineData("name: n\non: push\njobs: { a: { steps: [ { run: x, timeout: 1, timeout-minutes: 1 } ] } }")]
    public void A_refused_file_does_not_fit(string text)
    {
        Assert.NotEmpty(WorkflowFileReader.Read("f.yml", text).Problems);
        Assert.NotEmpty(Errors(text));
    }

    [Fact]
    public void The_keys_of_the_schema_are_those_of_the_reader()
    {
        Assert.Equal(Keys(Document), KnownKeys.Workflow.All);
        Assert.Equal(Keys(Definition("job")), KnownKeys.Job.All);
        Assert.Equal(Keys(Definition("step")), KnownKeys.Step.All);
        Assert.Equal(Keys(Definition("input")), KnownKeys.Input.All);
        Assert.Equal(Keys(Member(Definition("job"), "strategy")), KnownKeys.Strategy.All);
        Assert.Equal(Keys(Member(Definition("job"), "retry")), KnownKeys.Retry.All);
    }

    [Fact]
    public async Task Editors_get_the_schema_without_a_key()
    {
        await using var broker = await OwnBroker.StartAsync([.. TestKeys.Settings]);
        using var answer = await broker.Client.GetAsync(new Uri(WorkflowFileSchema.Path, UriKind.Relative), TestContext.Current.CancellationToken);

        Assert.Equal("application/schema+json", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal(WorkflowFileSchema.Read(), await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
    }

    private static JsonElement Definition(string name) => Document.GetProperty("$defs").GetProperty(name);

    private static JsonElement Member(JsonElement schema, string key) => schema.GetProperty("properties").GetProperty(key);

    private static IEnumerable<string> Keys(JsonElement schema) => schema.GetProperty("properties").EnumerateObject().Select(property => property.Name);

    private static IReadOnlyList<SchemaError> Errors(string yaml) => Schema.Validate(JsonElement.Parse(JsonOf(YamlNodes.Parse(yaml))?.ToJsonString() ?? "null"));

    private static JsonSchema Compile()
    {
        Assert.True(JsonSchema.TryCompile(Document, out var schema, out var problems), string.Join('\n', problems));
        return schema;
    }

    // Numbers that JSON does not know, such as 3.10 with its zero, keep their text there too.
    private static JsonNode? JsonOf(Node node) => node switch
    {
        MappingNode mapping => new JsonObject(mapping.Entries.Select(entry => KeyValuePair.Create(entry.Key, JsonOf(entry.Value.Value)))),
        SequenceNode sequence => new JsonArray([.. sequence.Items.Select(JsonOf)]),
        ScalarNode { Kind: ScalarKind.Null } => null,
        ScalarNode { Kind: ScalarKind.Number or ScalarKind.Boolean } scalar => JsonNode.Parse(scalar.Text),
        ScalarNode scalar => JsonValue.Create(scalar.Text),
        _ => throw new InvalidOperationException("No such node."),
    };
}
