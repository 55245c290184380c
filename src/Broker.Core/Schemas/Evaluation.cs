using System.Runtime.CompilerServices;
using System.Text.Json;
using Broker.Core.Json;

namespace Broker.Core.Schemas;

/// <summary>State of one validation: its place in the value, its errors, and its remaining budget.</summary>
internal sealed class Evaluation(long valueSize)
{
    /// <summary>Bound of the list: a long array of wrong items must not become a long answer.</summary>
    public const int MaxErrors = 50;

    // A few schemas that refer to each other twice make 2^n checks of n schemas. Real models need under one check per byte.
    private const long FreeChecks = 1_000_000;
    private const long ChecksPerByte = 20;

    // Values have 64 levels, each costing a few schemas in place; some 300 bytes of stack a level.
    private const int MaxDepth = 1_000;

    private readonly List<(string? Name, int Index)> path = [];
    private List<SchemaError> found = [];
    private SchemaError? abandoned;
    private long left = FreeChecks + (ChecksPerByte * valueSize);
    private int depth;
    private int quiet;
    private int trying;

    public IReadOnlyList<SchemaError> Errors => abandoned is null ? found : [.. found.Take(MaxErrors - 1), abandoned];

    /// <summary>True while only the verdict counts, so the first failure is enough.</summary>
    public bool IsQuiet => quiet > 0;

    /// <summary>True while one alternative of a union is being explained.</summary>
    public bool IsTrying => trying > 0;

    /// <summary>True when nothing more will be looked at; the errors say why.</summary>
    public bool IsOver => abandoned is not null || found.Count >= MaxErrors;

    public bool Enter()
    {
        if (IsOver || !Spend(1)) return false;
        if (depth >= MaxDepth || !RuntimeHelpers.TryEnsureSufficientExecutionStack()) return Abandon("value and schema are nested too deep to check");
        depth++;
        return true;
    }

    public void Leave() => depth--;

    /// <summary>Pays for work that grows with the value.</summary>
    public bool Spend(long checks)
    {
        left -= checks;
        return left >= 0 || Abandon("too costly to check: the schema's references multiply");
    }

    /// <summary>The canonical text of a value, paid for by its size; null when that is no longer affordable.</summary>
    public string? Canonical(JsonElement value) => Spend(1 + (JsonText.SizeOf(value) / 8)) ? CanonicalJson.Of(value) : null;

    public bool Abandon(string reason)
    {
        abandoned ??= new SchemaError(Pointer(), reason);
        return false;
    }

    public bool Fail(string message)
    {
        if (!IsQuiet && !IsOver) found.Add(new SchemaError(Pointer(), message));
        return false;
    }

    public bool FailAt(string name, string message)
    {
        if (!IsQuiet && !IsOver) found.Add(new SchemaError(JsonText.Under(Pointer(), name), message));
        return false;
    }

    public bool CheckMember(string name, JsonElement value, SchemaNode schema) => CheckAt((name, 0), value, schema);

    public bool CheckItem(int index, JsonElement value, SchemaNode schema) => CheckAt((null, index), value, schema);

    /// <summary>The verdict alone.</summary>
    public bool Holds(SchemaNode schema, JsonElement value)
    {
        quiet++;
        var valid = schema.Check(value, this);
        quiet--;
        return valid;
    }

    /// <summary>Errors that a schema finds; they are not added to the result.</summary>
    public IReadOnlyList<SchemaError> Try(SchemaNode schema, JsonElement value)
    {
        var outer = found;
        found = [];
        trying++;
        schema.Check(value, this);
        trying--;
        var tried = found;
        found = outer;
        return tried;
    }

    private bool CheckAt((string? Name, int Index) step, JsonElement value, SchemaNode schema)
    {
        path.Add(step);
        var valid = schema.Check(value, this);
        path.RemoveAt(path.Count - 1);
        return valid;
    }

    private string Pointer() =>
        path.Aggregate("", (at, step) => step.Name is null ? JsonText.Under(at, step.Index) : JsonText.Under(at, step.Name));
}
