namespace Broker.Core.Schemas;

/// <summary>An error of a value: a JSON pointer into it (empty for the value itself) and the expected form there.</summary>
public sealed record SchemaError(string Path, string Message)
{
    /// <summary>The path with dots: <c>items.0.name</c>.</summary>
    public string MemberPath => Path.Length == 0
        ? ""
        : Path[1..].Replace('/', '.').Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);

    /// <summary>Text of one line: <c>items.0.name: field required</c>.</summary>
    public override string ToString() => Path.Length == 0 ? Message : $"{MemberPath}: {Message}";
}
