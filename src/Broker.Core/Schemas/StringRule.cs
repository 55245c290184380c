using System.Text.Json;
using System.Text.RegularExpressions;
using Broker.Core.Json;

namespace Broker.Core.Schemas;

/// <summary>Length in code points, and <c>pattern</c>.</summary>
internal sealed class StringRule(int minimum, int? maximum, Regex? pattern, string? source) : Rule
{
    public static StringRule? Read(SchemaReader reader)
    {
        var (minimum, maximum) = (reader.Count("minLength") ?? 0, reader.Count("maxLength"));
        var source = reader.Text("pattern");
        var pattern = source is null ? null : reader.Pattern("pattern", source);
        return minimum > 0 || maximum is not null || pattern is not null ? new StringRule(minimum, maximum, pattern, source) : null;
    }

    public override bool Check(JsonElement value, Evaluation run)
    {
        if (value.ValueKind is not JsonValueKind.String) return true;
        var text = JsonText.StringOf(value);
        if (!run.Spend(text.Length / 8)) return false;
        var valid = true;
        if (minimum > 0 || maximum is not null)
        {
            var length = text.EnumerateRunes().Count();
            if (length < minimum) valid = run.Fail($"expected at least {Characters(minimum)}, got {length}");
            if (length > maximum) valid = run.Fail($"expected at most {Characters(maximum.Value)}, got {length}");
        }

        if (pattern is not null && !PatternCompiler.IsMatch(pattern, text, run)) valid = run.Fail($"expected text that matches {source}");
        return valid;
    }

    private static string Characters(int count) => count == 1 ? "1 character" : $"{count} characters";
}
