using System.Globalization;

namespace Broker.WorkflowFiles;

/// <summary>
/// Typed access to one mapping of a file. A value of the wrong type is reported and then counts as absent, so that reading goes on
/// and every problem is found.
/// </summary>
/// <param name="mapping">The mapping.</param>
/// <param name="path">Its place in the file; empty for the file itself.</param>
/// <param name="line">Line of its key; null for the file itself.</param>
/// <param name="problems">Gets what is wrong.</param>
internal sealed class FieldReader(MappingNode mapping, string path, int? line, FileProblems problems)
{
    public FileProblems Problems => problems;

    public int? Line => line;

    /// <summary>The value, or null when the field is missing or empty.</summary>
    public Node? Value(string field) => mapping.Entries.TryGetValue(field, out var entry) && !entry.Value.IsNull ? entry.Value : null;

    /// <summary>The line of the field's key; of the mapping, where the field is missing.</summary>
    public int? LineOf(string field) => mapping.Entries.TryGetValue(field, out var entry) ? entry.Line : line;

    public string PathOf(string field) => FileProblems.Under(path, field);

    /// <summary>Refuses every key that is not one of these.</summary>
    public FieldReader Only(KnownKeys keys)
    {
        foreach (var (key, entry) in mapping.Entries)
        {
            if (keys.Refusal(key) is { } message) problems.Add(entry.Line, PathOf(key), message);
        }

        return this;
    }

    public void Require(string field, string message = "is missing")
    {
        if (Value(field) is null) Report(field, message);
    }

    /// <summary>Numbers and booleans are taken as they are written.</summary>
    public string? Text(string field) => Scalar(field)?.Text;

    public ScalarNode? Scalar(string field)
    {
        switch (Value(field))
        {
            case null: return null;
            case ScalarNode scalar: return scalar;
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

    public double? Number(string field, double least, double most)
    {
        if (Value(field) is not { } node) return null;
        var text = node is ScalarNode { Kind: ScalarKind.Number } scalar ? scalar.Text : "";
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most) return number;
        Report(field, $"must be a number from {least} to {most}, not {node.Description}");
        return null;
    }

    public bool? Boolean(string field)
    {
        switch (Value(field))
        {
            case null: return null;
            case ScalarNode { Kind: ScalarKind.Boolean } scalar: return scalar.Text is "true" or "True" or "TRUE";
            case { } other:
                Report(field, $"must be true or false, not {other.Description}");
                return null;
        }
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

    /// <summary>Typed access to a mapping in this one; null when there is none.</summary>
    public FieldReader? Fields(string field) => Mapping(field) is { } inner ? new(inner, PathOf(field), LineOf(field), problems) : null;

    /// <summary>Variables in file order; a value of nothing is an empty text, however the format writes nothing.</summary>
    public IReadOnlyList<WrittenVariable> Environment(string field)
    {
        var variables = new List<WrittenVariable>();
        foreach (var (name, (value, at)) in Mapping(field)?.Entries ?? [])
        {
            var place = $"{PathOf(field)}.{name}";
            if (!ShellNames.Fits(name))
                problems.Add(at, PathOf(field), $"holds the name '{name}', which a shell cannot set: write letters, digits and _, and no digit first");
            else if (value is ScalarNode scalar)
                variables.Add(new(name, scalar, place));
            else
                problems.Add(at, place, $"must be text, not {value.Description}");
        }

        return variables;
    }

    /// <summary>Reports the mapping itself.</summary>
    public void Report(string message) => problems.Add(line, path, message);

    public void Report(string field, string message) => problems.Add(LineOf(field), PathOf(field), message);

    private string? Item(string field, Node item, int index)
    {
        if (item is ScalarNode { Kind: not ScalarKind.Null } scalar) return scalar.Text;

        problems.Add(item.Line, PathOf(field), $"entry {index + 1} must be text, not {item.Description}");
        return null;
    }
}

/// <summary>A variable as its file writes it.</summary>
internal sealed record WrittenVariable(string Name, ScalarNode Value, string Path)
{
    public string Text => Value.IsNull ? "" : Value.Text;
}

/// <summary>Names of shell variables. POSIX: ASCII alone, whatever the locale.</summary>
internal static class ShellNames
{
    public static bool Fits(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '_');

    /// <summary>A name made of parts: ASCII letters in upper case, and <c>_</c> for each other character that is no digit.</summary>
    public static string Of(params ReadOnlySpan<string> parts) =>
        string.Concat(string.Join('_', parts).Select(letter => char.IsAsciiLetterOrDigit(letter) ? char.ToUpperInvariant(letter) : '_'));
}
