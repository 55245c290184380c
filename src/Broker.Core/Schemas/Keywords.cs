using System.Collections.Frozen;

namespace Broker.Core.Schemas;

/// <summary>Keywords that assert nothing.</summary>
internal static class Keywords
{
    /// <summary>Hold schemas for references; they are compiled even when nothing refers to them, so that a broken one is found.</summary>
    public static readonly IReadOnlyList<string> Containers = ["$defs", "definitions"];

    // Beside the specification's own: "id" and "markdownDescription" come from generators for TypeScript, "discriminator", "example",
    // "externalDocs" and "xml" from OpenAPI. "nullable" is not here: it would change the verdict.
    private static readonly FrozenSet<string> Annotations = FrozenSet.ToFrozenSet(
        [
            "$schema", "$id", "$comment", "$anchor", "$dynamicAnchor", "title", "description", "default", "example", "examples", "readOnly",
            "writeOnly", "deprecated", "format", "contentEncoding", "contentMediaType", "contentSchema", "discriminator", "externalDocs", "xml",
            "id", "markdownDescription", "errorMessage", "~standard",
        ],
        StringComparer.Ordinal);

    public static bool IsAnnotation(string keyword) => keyword.StartsWith("x-", StringComparison.Ordinal) || Annotations.Contains(keyword);
}
