using System.Text.Json;
using Broker.Core.Json;

namespace Broker.Core.Schemas;

/// <summary>Bounds and <c>multipleOf</c>, all exact.</summary>
internal sealed class NumberRule(JsonNumber? minimum, JsonNumber? maximum, JsonNumber? above, JsonNumber? below, JsonNumber? multipleOf) : Rule
{
    public static NumberRule? Read(SchemaReader reader)
    {
        var (minimum, maximum) = (reader.Number("minimum"), reader.Number("maximum"));
        var (above, below) = (reader.Number("exclusiveMinimum"), reader.Number("exclusiveMaximum"));
        var multipleOf = reader.Number("multipleOf");
        if (multipleOf is { IsZero: true } or { Negative: true }) reader.Problem("multipleOf", "must be greater than zero");
        return (minimum ?? maximum ?? above ?? below ?? multipleOf) is null ? null : new NumberRule(minimum, maximum, above, below, multipleOf);
    }

    public override bool Check(JsonElement value, Evaluation run)
    {
        if (value.ValueKind is not JsonValueKind.Number) return true;
        if (!run.Spend(JsonText.SizeOf(value) / 8)) return false;
        var number = JsonNumber.Of(value);
        var valid = true;
        if (minimum is { } least && number.CompareTo(least) < 0) valid = run.Fail($"expected at least {least.Readable()}");
        if (maximum is { } most && number.CompareTo(most) > 0) valid = run.Fail($"expected at most {most.Readable()}");
        if (above is { } lower && number.CompareTo(lower) <= 0) valid = run.Fail($"expected more than {lower.Readable()}");
        if (below is { } upper && number.CompareTo(upper) >= 0) valid = run.Fail($"expected less than {upper.Readable()}");
        if (multipleOf is { } step && !number.IsMultipleOf(step)) valid = run.Fail($"expected a multiple of {step.Readable()}");
        return valid;
    }
}
