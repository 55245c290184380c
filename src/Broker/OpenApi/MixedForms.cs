using System.Text.Json.Nodes;
using Broker.Api;
using Broker.Operators;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Broker.OpenApi;

/// <summary>Schemas of values that have more than one form.</summary>
internal static class MixedForms
{
    public static void AddMixedForms(this SwaggerGenOptions options)
    {
        options.MapType<InstantForm>(() => new OpenApiSchema { OneOf = [Of(JsonSchemaType.String, "date-time"), Of(JsonSchemaType.Integer, "int64"), Null] });
        options.MapType<CronList>(() => new OpenApiSchema { OneOf = [Of(JsonSchemaType.String), new OpenApiSchema { Type = JsonSchemaType.Array, Items = Of(JsonSchemaType.String) }, Null] });
    }

    /// <summary>Forms of a type that is a schema of its own; null for types of one form.</summary>
    public static IList<IOpenApiSchema>? Of(Type type) =>
        type == typeof(TextOrInteger) ? [Of(JsonSchemaType.String), Of(JsonSchemaType.Integer, "int32")]
        : type == typeof(TextOrNumber) ? [Of(JsonSchemaType.String), Of(JsonSchemaType.Number, "double")]
        : type == typeof(ScalarForm) ? [Of(JsonSchemaType.String), Of(JsonSchemaType.Number, "double"), Of(JsonSchemaType.Boolean), Null]
        : type == typeof(BackoffForm) ? [
            new OpenApiSchema { Type = JsonSchemaType.String, Enum = [JsonValue.Create("None")] },
            Member("Fixed", "The same pause before each retry.", ("delay_secs", "The pause, in seconds.")),
            Member("Exponential", "A pause that doubles.", ("base_secs", "The first pause, in seconds."), ("max_secs", "The longest pause, in seconds."))]
        : null;

    /// <summary>Any JSON. Makers of clients take a schema without a word about null for values that are never null.</summary>
    public static IList<IOpenApiSchema> AnyJson => [Null, new OpenApiSchema { Not = Null }];

    private static OpenApiSchema Null => Of(JsonSchemaType.Null);

    private static OpenApiSchema Of(JsonSchemaType type, string? format = null) => new() { Type = type, Format = format };

    private static OpenApiSchema Member(string name, string description, params (string Name, string Description)[] seconds)
    {
        var inner = Object([.. seconds.Select(each => KeyValuePair.Create(each.Name, Seconds(each.Description)))]);
        inner.Description = description;
        return Object([KeyValuePair.Create(name, inner)]);
    }

    private static OpenApiSchema Seconds(string description) =>
        new() { Type = JsonSchemaType.Integer, Format = "int64", Minimum = "0", Description = description };

    private static OpenApiSchema Object(IReadOnlyList<KeyValuePair<string, OpenApiSchema>> members) => new()
    {
        Type = JsonSchemaType.Object,
        Properties = members.ToDictionary(member => member.Key, member => (IOpenApiSchema)member.Value),
        Required = members.Select(member => member.Key).ToHashSet(),
    };
}
