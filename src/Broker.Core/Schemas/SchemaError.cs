namespace Broker.Core.Schemas;

/// <summary>An error of a value: a JSON pointer into it (empty for the value itself) and the expected form there.</summary>
public sealed record SchemaError(string Path, string Message)
{
    /// <summary>Text of one line: <c>items.0.name: field required</c>.</summary>
    public override string ToString() => Path.Length == 0
        ? Message
        : Path[1..].Replace('/', '.').Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal) + ": " + Message;
}
