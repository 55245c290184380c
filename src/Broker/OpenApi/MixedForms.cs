using System.Text.Json.Nodes;
using Broker.Api;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Broker.OpenApi;

/// <summary>Schemas of values that have more than one form.</summary>
internal static class MixedForms
{
    public static void AddMixedForms(this SwaggerGenOptions options)
    {
        options.MapType<TextOrInteger>(() => new OpenApiSchema { Type = JsonSchemaType.String | JsonSchemaType.Integer });
        options.MapType<TextOrNumber>(() => new OpenApiSchema { Type = JsonSchemaType.String | JsonSchemaType.Number });
        options.MapType<ScalarForm>(() => new OpenApiSchema { Type = JsonSchemaType.String | JsonSchemaType.Number | JsonSchemaType.Boolean | JsonSchemaType.Null });
        options.MapType<InstantForm>(() => new OpenApiSchema { OneOf = [Text("date-time"), new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int64" }, Null] });
        options.MapType<BackoffForm>(() => new OpenApiSchema
        {
            OneOf =
            [
                new OpenApiSchema { Type = JsonSchemaType.String, Enum = [JsonValue.Create("None")] },
                Member("Fixed", "The same pause before each retry.", ("delay_secs", "The pause, in seconds.")),
                Member("Exponential", "A pause that doubles.", ("base_secs", "The first pause, in seconds."), ("max_secs", "The longest pause, in seconds.")),
            ],
        });
    }

    private static OpenApiSchema Null => new() { Type = JsonSchemaType.Null };

    private static OpenApiSchema Text(string format) => new() { Type = JsonSchemaType.String, Format = format };

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
