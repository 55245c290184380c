using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Broker.Core.Json;
using Broker.Core.Schemas;

namespace Broker.Core.Definitions;

/// <summary>Inputs of a start with defaults filled in (raw JSON object), or every problem: paths are JSON pointers into the inputs.</summary>
public sealed record InputsReading(string InputsJson, IReadOnlyList<SchemaError> Problems);

/// <summary>The inputs that a definition declares, in the order of its document.</summary>
public sealed class InputCatalog(ImmutableArray<InputDefinition> all)
{
    /// <summary>Inputs in one definition, at most.</summary>
    public const int MaxInputs = 100;

    /// <summary>Bytes of all inputs of a start together: they become variables, and a shell takes 128 KiB in one argument.</summary>
    public const int MaxBytes = 64 * 1024;

    private readonly Dictionary<string, InputDefinition> byName = all.ToDictionary(input => input.Name, StringComparer.Ordinal);

    public ImmutableArray<InputDefinition> All => all;

    /// <summary>The input of that name, or null.</summary>
    public InputDefinition? Find(string name) => byName.GetValueOrDefault(name);

    /// <summary>Checks given inputs and fills in what is missing. A member that is null counts as missing.</summary>
    public InputsReading Complete(JsonElement given)
    {
        if (given.ValueKind is not JsonValueKind.Object) return new("{}", [new("", $"expected an object, got {JsonText.KindOf(given)}")]);
        if (JsonText.SizeOf(given) > MaxBytes) return new("{}", [new("", $"has more than {MaxBytes} bytes")]);

        var problems = new List<SchemaError>();
        var values = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var member in given.EnumerateObject())
        {
            var name = JsonText.NameOf(member);
            var at = JsonText.Under("", name);
            if (Find(name) is not { } input) problems.Add(new(at, $"is not declared; the workflow has {Names()}"));
            else if (values.ContainsKey(name)) problems.Add(new(at, "is there twice"));
            else if (member.Value.ValueKind is JsonValueKind.Null) continue;
            else if (InputReader.Problem(input.Type, input.Options, member.Value) is { } problem) problems.Add(new(at, problem));
            else values.Add(name, member.Value);
        }

        var text = new StringBuilder("{");
        foreach (var input in all)
        {
            if (text.Length > 1) text.Append(',');
            text.Append(JsonSerializer.Serialize(input.Name)).Append(':');
            if (values.TryGetValue(input.Name, out var value)) text.Append(value.GetRawText());
            else if (input is { Required: true, HasDefault: false } && !problems.Exists(p => p.Path == JsonText.Under("", input.Name))) problems.Add(new(JsonText.Under("", input.Name), "is required"));
            else text.Append(input.DefaultJson);
        }

        return problems.Count > 0 ? new("{}", problems) : new(text.Append('}').ToString(), []);
    }

    private string Names() => all.IsEmpty ? "no inputs" : string.Join(", ", all.Select(input => input.Name));
}
