namespace Broker.OpenApi;

/// <summary>Names of types in the document: dialects have types of the same name, so each puts its own before it.</summary>
internal static class SchemaNames
{
    private const string Dto = "Dto", Dialect = "Dialect", Api = "Broker.Api.";

    public static string Of(Type type)
    {
        if (type.IsArray) return $"{Of(type.GetElementType()!)}List";
        var name = type.Name;
        if (type.IsGenericType) name = $"{name[..name.IndexOf('`')]}Of{string.Concat(type.GetGenericArguments().Select(Of))}";
        if (name.EndsWith(Dto, StringComparison.Ordinal)) name = name[..^Dto.Length];
        var dialect = DialectOf(type);
        return name.StartsWith(dialect, StringComparison.Ordinal) ? name : dialect + name;
    }

    private static string DialectOf(Type type)
    {
        if (type.Namespace is not { } space || !space.StartsWith(Api, StringComparison.Ordinal)) return "";
        var last = space[Api.Length..];
        return last.EndsWith(Dialect, StringComparison.Ordinal) ? last[..^Dialect.Length] : last;
    }
}
