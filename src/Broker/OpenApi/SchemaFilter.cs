using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Broker.Api;
using Broker.Operators;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Broker.OpenApi;

/// <summary>Objects take unknown members and show their example. Members have their words and their text, and say whether they may be null.</summary>
internal sealed class SchemaFilter(MemberTexts texts) : ISchemaFilter
{
    public void Apply(IOpenApiSchema schema, SchemaFilterContext context)
    {
        if (schema is not OpenApiSchema written) return;
        if (MixedForms.Of(context.Type) is { } forms) (written.Type, written.AnyOf, written.AdditionalPropertiesAllowed) = (null, forms, true);
        if (written.Properties is { Count: > 0 } members) Complete(members, context);

        // Requests with unknown members are served, and answers may grow: the document must not say otherwise.
        if (written.Type is not { } type || !type.HasFlag(JsonSchemaType.Object)) return;
        if (written.AdditionalProperties is null) written.AdditionalPropertiesAllowed = true;
        if (context.MemberInfo is null && context.ParameterInfo is null && ExampleBook.Of(context.Type) is { } example) written.Examples = [example];
    }

    private static string? NameOf(PropertyInfo property) => property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name
        ?? (property.DeclaringType?.Assembly == typeof(OperatorJson).Assembly ? JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name) : null);

    private void Complete(IDictionary<string, IOpenApiSchema> members, SchemaFilterContext context)
    {
        var nullability = new NullabilityInfoContext();
        foreach (var property in context.Type.GetProperties())
        {
            if (NameOf(property) is not { } name || !members.TryGetValue(name, out var member)) continue;
            var mayBeNull = nullability.Create(property).ReadState is NullabilityState.Nullable;
            if (member is OpenApiSchemaReference reference) members[name] = Described(reference, mayBeNull, texts.Of(property));
            else if (member is OpenApiSchema own) Complete(own, property, mayBeNull, texts.Of(property));

            // Names of members and indexes of lists.
            if (property.PropertyType == typeof(IReadOnlyList<object>) && member is OpenApiSchema list) list.Items = context.SchemaGenerator.GenerateSchema(typeof(TextOrInteger), context.SchemaRepository);
        }
    }

    private static void Complete(OpenApiSchema own, PropertyInfo property, bool mayBeNull, string? text)
    {
        own.Description = text;
        if (own is { Type: null, AnyOf: null or { Count: 0 }, OneOf: null or { Count: 0 } }) own.OneOf = MixedForms.AnyJson;
        if (property.GetCustomAttribute<WordsAttribute>()?.Words is not { } words) return;
        if (own.Items is OpenApiSchema entry) entry.Enum = [.. words.Select(word => (JsonNode)word!)];
        else own.Enum = [.. words.Select(word => (JsonNode)word!), .. mayBeNull ? [JsonNullSentinel.JsonNull] : (JsonNode[])[]];
    }

    /// <summary>A reference to a schema says nothing of null, so a nullable member of a described type is null or the reference.</summary>
    private static IOpenApiSchema Described(OpenApiSchemaReference reference, bool mayBeNull, string? text)
    {
        if (mayBeNull) return new OpenApiSchema { OneOf = [new OpenApiSchema { Type = JsonSchemaType.Null }, reference], Description = text };
        reference.Description = text;
        return reference;
    }
}
