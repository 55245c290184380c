using System.Text.Json.Nodes;
using Broker.Core.Definitions;

namespace Broker.Operators;

/// <summary>Declared inputs as a JSON Schema, so that one form serves every kind of workflow.</summary>
internal static class InputSchema
{
    public static RawJson Of(InputCatalog inputs)
    {
        var properties = new JsonObject();
        foreach (var input in inputs.All)
        {
            var schema = new JsonObject
            {
                ["type"] = input.Type switch { InputType.Number => "number", InputType.Boolean => "boolean", InputType.Text or InputType.Choice => "string" },
            };
            if (input.Description is { } description) schema["description"] = description;
            if (!input.Options.IsEmpty) schema["enum"] = new JsonArray([.. input.Options.Select(option => JsonValue.Create(option))]);
            if (input.HasDefault) schema["default"] = JsonNode.Parse(input.DefaultJson);
            properties[input.Name] = schema;
        }

        return new(new JsonObject
        {
            ["type"] = "object",
            ["properties"] = properties,
            ["required"] = new JsonArray([.. inputs.All.Where(input => input is { Required: true, HasDefault: false }).Select(input => JsonValue.Create(input.Name))]),
            ["additionalProperties"] = false,
        }.ToJsonString());
    }
}
