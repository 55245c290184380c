using System.Text.Json;
using Broker.Core.Schemas;
using Xunit;

namespace Broker.Core.Tests.Schemas;

/// <summary>The public cases of the JSON-Schema-Test-Suite, from the copy in <c>Suite/</c>.</summary>
public sealed class JsonSchemaSuiteTests
{
    private const string Remote = "only references into the same schema";
    private const string Unevaluated = "unevaluatedProperties: this keyword is not supported";
    private const string NestedId = "$id: is supported at the root only";

    // Every schema of the suite that is refused, with the reason. One more or one less fails the tests.
    private static readonly Dictionary<string, string> Refused = new(StringComparer.Ordinal)
    {
        ["not: collect annotations inside a 'not', even if collection is disabled"] = Unevaluated,
        ["ref: ref creates new scope when adjacent to keywords"] = Unevaluated,
        ["ref: remote ref, containing refs itself"] = Remote,
        ["defs: validate definition against metaschema"] = Remote,
        ["ref: Recursive references between schemas"] = NestedId,
        ["ref: refs with relative uris and defs"] = NestedId,
        ["ref: relative refs with absolute uris and defs"] = NestedId,
        ["ref: $id must be resolved against nearest parent, not just immediate parent"] = NestedId,
        ["ref: order of evaluation: $id and $ref"] = NestedId,
        ["ref: order of evaluation: $id and $anchor and $ref"] = NestedId,
        ["ref: order of evaluation: $id and $ref on nested schema"] = NestedId,
        ["ref: URN ref with nested pointer ref"] = NestedId,
        ["ref: ref to if"] = NestedId,
        ["ref: ref to then"] = NestedId,
        ["ref: ref to else"] = NestedId,
        ["ref: ref with absolute-path-reference"] = NestedId,
        ["ref: simple URN base URI with $ref via the URN"] = Remote,
        ["ref: URN base URI with URN and JSON pointer ref"] = Remote,
        ["ref: URN base URI with URN and anchor ref"] = Remote,
    };

    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Schemas", "Suite", "draft2020-12");

    public static TheoryData<string> Files() => [.. Directory.GetFiles(Folder, "*.json").Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Files))]
    public void Every_case_of_the_suite_is_judged_as_published(string file)
    {
        var wrong = new List<string>();
        foreach (var group in Read(file))
        {
            var name = NameOf(file, group);
            if (!JsonSchema.TryCompile(group.GetProperty("schema"), out var schema, out var problems))
            {
                if (!Refused.TryGetValue(name, out var reason) || !problems.Any(p => p.Contains(reason, StringComparison.Ordinal)))
                    wrong.Add($"{name}: refused: {string.Join("; ", problems)}");
                continue;
            }

            if (Refused.ContainsKey(name)) wrong.Add($"{name}: listed as refused, but compiles");
            foreach (var test in group.GetProperty("tests").EnumerateArray())
            {
                var errors = schema.Validate(test.GetProperty("data"));
                if (errors.Count == 0 != test.GetProperty("valid").GetBoolean())
                    wrong.Add($"{name} / {test.GetProperty("description")}: {string.Join("; ", errors)}");
            }
        }

        Assert.Empty(wrong);
    }

    [Fact]
    public void The_list_of_refused_schemas_names_schemas_of_the_suite()
    {
        var files = Directory.GetFiles(Folder, "*.json");
        var known = files.SelectMany(file => Read(file).Select(group => NameOf(file, group))).ToHashSet(StringComparer.Ordinal);

        Assert.Equal(35, files.Length);
        Assert.Equal(19, Refused.Count);
        Assert.All(Refused.Keys, name => Assert.Contains(name, known));
    }

    private static JsonElement.ArrayEnumerator Read(string file) => JsonElement.Parse(File.ReadAllBytes(Path.Combine(Folder, file))).EnumerateArray();

    private static string NameOf(string file, JsonElement group) => $"{Path.GetFileNameWithoutExtension(file)}: {group.GetProperty("description")}";
}
