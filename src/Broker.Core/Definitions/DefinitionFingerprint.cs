using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Broker.Core.Json;

namespace Broker.Core.Definitions;

/// <summary>
/// Two definitions are the same when they are equal as JSON values: keys in any order, numbers by value, absent members equal to
/// their defaults (broker contract 4.2). The fingerprint is equal exactly then.
/// </summary>
internal static class DefinitionFingerprint
{
    private static readonly string[] EmptyStepObjects = ["successors", "or_groups"];
    private static readonly string[] EmptyStepArrays = ["predecessors", "policies"];
    private static readonly string[] EmptyArrays = ["outputs", "policies"];

    public static string Of(JsonElement document)
    {
        var filled = JsonObject.Create(document)!;
        if (filled["version"] is null) filled["version"] = "1";
        Fill(filled, EmptyArrays, () => new JsonArray());
        foreach (var (name, step) in (filled["steps"] as JsonObject) ?? [])
        {
            if (step is not JsonObject members) continue;
            if (members["name"] is null) members["name"] = name;
            Fill(members, EmptyStepObjects, () => new JsonObject());
            Fill(members, EmptyStepArrays, () => new JsonArray());
        }

        using var parsed = JsonDocument.Parse(filled.ToJsonString());
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(CanonicalJson.Of(parsed.RootElement))));
    }

    private static void Fill(JsonObject owner, string[] members, Func<JsonNode> empty)
    {
        foreach (var member in members)
        {
            if (owner[member] is null) owner[member] = empty();
        }
    }
}
