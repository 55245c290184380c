using System.Globalization;

namespace Broker.WorkflowFiles;

/// <summary>
/// Typed access to one mapping of a file. A value of the wrong type is reported and then counts as absent, so that reading goes on
/// and every problem is found.
/// </summary>
internal sealed class MappingReader(MappingNode mapping, string? prefix, Action<string, string> report)
{
    /// <summary>The value, or null when the field is missing or empty.</summary>
    public Node? Value(string field) => mapping.Entries.GetValueOrDefault(field) is { IsNull: false } node ? node : null;

    public void Require(string field, string message = "is missing")
    {
        if (Value(field) is null) Report(field, message);
    }

    /// <summary>Numbers and booleans are taken as they are written.</summary>
    public string? Text(string field)
    {
        switch (Value(field))
        {
            case null: return null;
            case ScalarNode scalar: return scalar.Text;
            case { } other:
                Report(field, $"must be text, not {other.Description}");
                return null;
        }
    }

    public long? Integer(string field, long least, long most)
    {
        if (Value(field) is not { } node) return null;

        if (node is not ScalarNode { Kind: ScalarKind.Number } scalar
            || !long.TryParse(scalar.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
        {
            Report(field, $"must be a whole number, not {node.Description}");
            return null;
        }

        if (number < least || number > most)
        {
            Report(field, $"must be from {least} to {most}, not {number}");
            return null;
        }

        return number;
    }

    /// <summary>A list of texts; a bare text stands for a list of one where <paramref name="bareText"/> says so.</summary>
    public IReadOnlyList<string> Texts(string field, bool bareText = false)
    {
        switch (Value(field))
        {
            case null:
                return [];
            case ScalarNode scalar when bareText:
                return [scalar.Text];
            case SequenceNode list:
                return [.. list.Items.Select((item, i) => Item(field, item, i)).OfType<string>()];
            case { } other:
                Report(field, $"must be {(bareText ? "text or " : "")}a list of texts, not {other.Description}");
                return [];
        }
    }

    public IReadOnlyList<Node> Items(string field)
    {
        switch (Value(field))
        {
            case null: return [];
            case SequenceNode list: return list.Items;
            case { } other:
                Report(field, $"must be a list, not {other.Description}");
                return [];
        }
    }

    public MappingNode? Mapping(string field)
    {
        switch (Value(field))
        {
            case null: return null;
            case MappingNode inner: return inner;
            case { } other:
                Report(field, $"must be a mapping, not {other.Description}");
                return null;
        }
    }

    /// <summary>Names and texts in file order; a value of nothing is an empty text, however the format writes nothing.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Environment(string field)
    {
        var variables = new List<KeyValuePair<string, string>>();
        foreach (var (name, value) in Mapping(field)?.Entries ?? [])
        {
            if (!IsVariableName(name))
            {
                Report(field, $"holds the name '{name}', which a shell cannot set: write letters, digits and _, and no digit first");
            }
            else if (value is ScalarNode scalar)
            {
                variables.Add(new(name, scalar.IsNull ? "" : scalar.Text));
            }
            else
            {
                Report($"{field}.{name}", $"must be text, not {value.Description}");
            }
        }

        return variables;
    }

    public void Report(string field, string message) => report(prefix + field, message);

    // POSIX: ASCII alone, whatever the locale.
    private static bool IsVariableName(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '_');

    private string? Item(string field, Node item, int index)
    {
        if (item is ScalarNode { Kind: not ScalarKind.Null } scalar) return scalar.Text;

        Report(field, $"entry {index + 1} must be text, not {item.Description}");
        return null;
    }
}
