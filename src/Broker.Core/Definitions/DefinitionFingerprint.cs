using System.Security.Cryptography;
using System.Text.Json;
using Broker.Core.Json;

namespace Broker.Core.Definitions;

/// <summary>
/// Digest of a definition, equal exactly for definitions that are equal as JSON values (broker contract 4.2). Keys may have any order, numbers
/// count by value, absent members equal their defaults. The digest is fed part by part: a copy of the document as nodes took 14 × its memory.
/// </summary>
internal static class DefinitionFingerprint
{
    private static readonly JsonElement EmptyArray = JsonElement.Parse("[]");
    private static readonly JsonElement EmptyObject = JsonElement.Parse("{}");
    private static readonly (string Name, JsonElement Value)[] Defaults =
        [("version", JsonElement.Parse("\"1\"")), ("outputs", EmptyArray), ("policies", EmptyArray)];

    // A step's name is its key.
    private static readonly (string Name, JsonElement Value)[] StepDefaults =
        [("name", default), ("successors", EmptyObject), ("or_groups", EmptyObject), ("predecessors", EmptyArray), ("policies", EmptyArray)];

    public static string Of(JsonElement document)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var text = new CanonicalText(digest);
        CanonicalJson.WriteObject(Filled(document, Defaults), text, WriteMember);
        return Convert.ToHexStringLower(text.Digest());
    }

    private static void WriteMember(string name, JsonElement value, CanonicalText text)
    {
        if (name == "steps" && value.ValueKind is JsonValueKind.Object)
            CanonicalJson.WriteObject(value.EnumerateObject().Select(m => (JsonText.NameOf(m), m.Value)), text, WriteStep);
        else CanonicalJson.Write(value, text);
    }

    private static void WriteStep(string key, JsonElement step, CanonicalText text)
    {
        if (step.ValueKind is not JsonValueKind.Object)
        {
            CanonicalJson.Write(step, text);
            return;
        }

        CanonicalJson.WriteObject(Filled(step, StepDefaults), text, (_, value, into) =>
        {
            if (value.ValueKind is JsonValueKind.Undefined) CanonicalJson.WriteString(key, into);
            else CanonicalJson.Write(value, into);
        });
    }

    private static List<(string Name, JsonElement Value)> Filled(JsonElement owner, (string Name, JsonElement Value)[] defaults)
    {
        var members = new List<(string Name, JsonElement Value)>();
        foreach (var member in owner.EnumerateObject())
        {
            var name = JsonText.NameOf(member);
            if (member.Value.ValueKind is JsonValueKind.Null && Array.Exists(defaults, d => d.Name == name)) continue;
            members.Add((name, member.Value));
        }

        foreach (var filled in defaults)
        {
            if (!members.Exists(m => m.Name == filled.Name)) members.Add(filled);
        }

        return members;
    }
}
