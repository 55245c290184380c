using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Broker.Core.Json;

namespace Broker.Core.Schemas;

/// <summary>
/// A compiled JSON Schema: the part of draft 2020-12 that schemas generated from models use. The compiler refuses a schema with any other
/// keyword, so no value passes because a rule was skipped. The compiled form keeps no reference to the document.
/// </summary>
public sealed class JsonSchema
{
    private readonly SchemaNode root;

    private JsonSchema(SchemaNode root) => this.root = root;

    public static bool TryCompile(JsonElement schema, [NotNullWhen(true)] out JsonSchema? compiled, out IReadOnlyList<string> problems)
    {
        compiled = null;
        if (CanonicalJson.HasDuplicateKeys(schema, out var path))
        {
            problems = [$"#{path}: the name stands twice in one object"];
            return false;
        }

        var compiler = new SchemaCompiler(schema);
        var root = compiler.Compile();
        problems = compiler.Problems;
        if (problems.Count > 0) return false;
        compiled = new JsonSchema(root);
        return true;
    }

    /// <summary>Errors of the value, at most <see cref="Evaluation.MaxErrors"/>; empty when it is valid.</summary>
    public IReadOnlyList<SchemaError> Validate(JsonElement value)
    {
        var run = new Evaluation(JsonText.SizeOf(value));
        root.Check(value, run);
        return run.Errors;
    }
}
