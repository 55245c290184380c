using System.Collections.Frozen;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Broker.OpenApi;

/// <summary>
/// The examples of the API document. Each dialect keeps its own in a static class whose name ends in <c>Examples</c>. They are constants of JSON,
/// each named like the record of the same namespace that it is an example of.
/// </summary>
internal static class ExampleBook
{
    private const string Suffix = "Examples";

    // Bodies that are one string are ids that were made up.
    private const string Id = "7c0e6a3f5b2d4c1e8f9a0b1c2d3e4f50";

    private static readonly FrozenDictionary<string, string> All = Collect().ToFrozenDictionary();

    /// <summary>An example of a body of that type, or null; lists show one entry.</summary>
    public static JsonNode? Of(Type type)
    {
        if (type.FullName is { } name && All.TryGetValue(name, out var json)) return Parse(json);
        if (type == typeof(string)) return JsonValue.Create(Id);
        if (type == typeof(bool)) return JsonValue.Create(false);
        if (Element(type) is { } element && Of(element) is { } entry) return new JsonArray(entry);
        return null;
    }

    /// <summary>Text that is no JSON is an example of a plain-text body.</summary>
    public static JsonNode? Parse(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return JsonValue.Create(text);
        }
    }

    private static Type? Element(Type type) =>
        type.IsArray && type != typeof(byte[]) ? type.GetElementType()
        : type.IsGenericType && type.GetGenericArguments() is [var only] && type.IsAssignableTo(typeof(System.Collections.IEnumerable)) ? only
        : null;

    private static IEnumerable<KeyValuePair<string, string>> Collect() =>
        from book in typeof(ExampleBook).Assembly.GetTypes()
        where book.IsAbstract && book.IsSealed && book.Name.EndsWith(Suffix, StringComparison.Ordinal)
        from example in book.GetFields(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static)
        where example.IsLiteral && example.FieldType == typeof(string)
        select KeyValuePair.Create($"{book.Namespace}.{example.Name}", (string)example.GetRawConstantValue()!);
}
