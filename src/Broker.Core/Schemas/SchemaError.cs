namespace Broker.Core.Schemas;

/// <summary>One thing wrong with a value: a JSON pointer into the value (empty for the value itself) and what was expected there.</summary>
public sealed record SchemaError(string Path, string Message)
{
    /// <summary>One line for a person: <c>items.0.name: field required</c>.</summary>
    public override string ToString() => Path.Length == 0
        ? Message
        : Path[1..].Replace('/', '.').Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal) + ": " + Message;
}
