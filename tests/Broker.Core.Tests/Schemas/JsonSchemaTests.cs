using System.Text.Json;
using Broker.Core.Schemas;
using Xunit;

namespace Broker.Core.Tests.Schemas;

/// <summary>Parts that the published suite does not cover: messages, limits, and schemas as generators write them.</summary>
public sealed class JsonSchemaTests
{
    // As a Python model library writes an order with an optional field, an enum, a tagged union and a recursive part.
    private const string Order = """
        {
          "$defs": {
            "Card": {"properties": {"kind": {"const": "card", "title": "Kind", "type": "string"}, "number": {"pattern": "^\\d{4}$", "title": "Number", "type": "string"}},
                     "required": ["kind", "number"], "title": "Card", "type": "object"},
            "Cash": {"properties": {"kind": {"const": "cash", "title": "Kind", "type": "string"}}, "required": ["kind"], "title": "Cash", "type": "object"},
            "Colour": {"enum": ["red", "green"], "title": "Colour", "type": "string"},
            "Part": {"properties": {"name": {"type": "string"}, "parts": {"default": [], "items": {"$ref": "#/$defs/Part"}, "type": "array"}}, "required": ["name"], "type": "object"}
          },
          "additionalProperties": false,
          "properties": {
            "topic": {"title": "Topic", "type": "string", "minLength": 1},
            "count": {"default": 1, "exclusiveMinimum": 0, "title": "Count", "type": "integer"},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": null, "title": "Note"},
            "colour": {"allOf": [{"$ref": "#/$defs/Colour"}], "default": "red"},
            "payment": {"discriminator": {"mapping": {"card": "#/$defs/Card", "cash": "#/$defs/Cash"}, "propertyName": "kind"},
                        "oneOf": [{"$ref": "#/$defs/Card"}, {"$ref": "#/$defs/Cash"}], "title": "Payment"},
            "root": {"anyOf": [{"$ref": "#/$defs/Part"}, {"type": "null"}]},
            "pair": {"maxItems": 2, "minItems": 2, "prefixItems": [{"type": "integer"}, {"type": "string"}], "type": "array"},
            "price": {"anyOf": [{"type": "number"}, {"type": "string", "pattern": "^(?!^[-+.]*$)[+-]?0*\\d*\\.?\\d*$"}]},
            "when": {"format": "date-time", "type": "string"},
            "scores": {"additionalProperties": {"type": "number"}, "propertyNames": {"pattern": "^[a-z]+$"}, "type": "object"},
            "tags": {"items": {"type": "string"}, "type": "array", "uniqueItems": true}
          },
          "required": ["topic"],
          "title": "Order",
          "type": "object"
        }
        """;

    // As a TypeScript schema library writes a strict object with formats spelt out as patterns.
    private const string Account = """
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "type": "object",
          "properties": {
            "email": {"type": "string", "format": "email", "pattern": "^(?!\\.)(?!.*\\.\\.)([A-Za-z0-9_'+\\-\\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\\-]*\\.)+[A-Za-z]{2,}$"},
            "id": {"type": "string", "format": "uuid", "pattern": "^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}|00000000-0000-0000-0000-000000000000)$"},
            "age": {"type": "integer", "minimum": -9007199254740991, "maximum": 9007199254740991},
            "role": {"type": "string", "enum": ["admin", "user"]},
            "next": {"$ref": "#"},
            "pair": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "number"}]},
            "any": {},
            "never": {"not": {}}
          },
          "required": ["email"],
          "additionalProperties": false
        }
        """;

    [Theory]
    [InlineData("""{"topic":"x","count":2,"note":null,"colour":"green","payment":{"kind":"cash"},"pair":[1,"a"],"price":"1.5","tags":["a","b"]}""")]
    [InlineData("""{"topic":"x","count":2.0,"root":{"name":"a","parts":[{"name":"b","parts":[]}]},"when":"not judged","scores":{"a":1}}""")]
    [InlineData("""{}""", "topic: field required")]
    [InlineData("""[]""", "expected object, got array")]
    [InlineData("""{"topic":"","count":"1"}""", "topic: expected at least 1 character, got 0", "count: expected integer, got string")]
    [InlineData("""{"topic":"x","count":1.5}""", "count: expected integer, got number")]
    [InlineData("""{"topic":"x","count":0}""", "count: expected more than 0")]
    [InlineData("""{"topic":"x","note":5}""", "note: expected string or null, got integer")]
    [InlineData("""{"topic":"x","colour":"blue"}""", "colour: expected one of \"red\", \"green\"")]
    [InlineData("""{"topic":"x","payment":{"kind":"card"}}""", "payment.number: field required")]
    [InlineData("""{"topic":"x","payment":{"kind":"card","number":"12345"}}""", "payment.number: expected text that matches ^\\d{4}$")]
    [InlineData("""{"topic":"x","root":{"name":"a","parts":[{"name":"b"},{"parts":[{"name":7}]}]}}""",
        "root.parts.1.parts.0.name: expected string, got integer", "root.parts.1.name: field required")]
    [InlineData("""{"topic":"x","pair":[1]}""", "pair: expected at least 2 items, got 1")]
    [InlineData("""{"topic":"x","pair":["a",1]}""", "pair.0: expected integer, got string", "pair.1: expected string, got integer")]
    [InlineData("""{"topic":"x","price":"abc"}""", "price: expected text that matches ^(?!^[-+.]*$)[+-]?0*\\d*\\.?\\d*$")]
    [InlineData("""{"topic":"x","scores":{"A":"b"}}""", "scores.A: expected text that matches ^[a-z]+$", "scores.A: expected number, got string")]
    [InlineData("""{"topic":"x","tags":["a","b","\u0061"]}""", "tags: expected different items, but items 0 and 2 are equal")]
    [InlineData("""{"topic":"x","extra/one":1}""", "extra/one: not allowed")]
    public void A_Python_model_is_judged_in_words_its_author_knows(string json, params string[] expected) => Assert.Equal(expected, Judge(Order, json));

    [Theory]
    [InlineData("""{"email":"a.b@example.org","id":"00000000-0000-0000-0000-000000000000","age":3,"role":"user","next":{"email":"c@d.ee"},"pair":["a",1,true],"any":[]}""")]
    [InlineData("""{"email":".a@example.org"}""", "email: expected text that matches ^(?!\\.)(?!.*\\.\\.)([A-Za-z0-9_'+\\-\\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\\-]*\\.)+[A-Za-z]{2,}$")]
    [InlineData("""{"email":"a@b.cc","age":9007199254740992}""", "age: expected at most 9007199254740991")]
    [InlineData("""{"email":"a@b.cc","next":{}}""", "next.email: field required")]
    [InlineData("""{"email":"a@b.cc","never":1}""", "never: expected a value other than those the schema excludes")]
    public void A_TypeScript_model_is_judged_in_words_its_author_knows(string json, params string[] expected) => Assert.Equal(expected, Judge(Account, json));

    [Theory]
    [InlineData("""{"minimum":9007199254740993}""", "9007199254740992", false)]
    [InlineData("""{"minimum":9007199254740993}""", "9007199254740993.0", true)]
    [InlineData("""{"maximum":0.1}""", "0.10000000000000000001", false)]
    [InlineData("""{"exclusiveMaximum":1e309}""", "1e308", true)]
    [InlineData("""{"exclusiveMinimum":-1e-400}""", "-1e-399", false)]
    [InlineData("""{"multipleOf":0.01}""", "1e999999999", true)]
    [InlineData("""{"multipleOf":3}""", "1e999999999", false)]
    [InlineData("""{"multipleOf":3e500}""", "9e500", true)]
    [InlineData("""{"multipleOf":0.1}""", "0.30000000000000004", false)]
    [InlineData("""{"type":"integer"}""", "1e400", true)]
    [InlineData("""{"type":"integer"}""", "1e-400", false)]
    [InlineData("""{"enum":[1e2]}""", "100.0", true)]
    [InlineData("""{"maxLength":99999999999999999999}""", "\"a\"", true)]
    [InlineData("""{"minLength":1e99}""", "\"a\"", false)]
    [InlineData("""{"maxLength":1}""", "\"\\ud83d\\ude00\"", true)]
    [InlineData("""{"maxLength":1}""", "\"\\ude00\\ud83d\"", false)]
    [InlineData("""{"const":"\ud800"}""", "\"\\uD800\"", true)]
    [InlineData("""{"properties":{"\ud800":false}}""", "{\"\\uD800\":1}", false)]
    [InlineData("""{"propertyNames":{"maxLength":1}}""", "{\"\\ud83d\\ude00\":1}", true)]
    [InlineData("""{"enum":[]}""", "null", false)]
    [InlineData("""{"enum":[1,2],"const":3}""", "3", false)]
    [InlineData("""{"dependentSchemas":{"a":{"required":["b"]}}}""", """{"a":1}""", false)]
    [InlineData("""{"$ref":"#/x-shared/0","x-shared":[{"type":"string"}]}""", "1", false)]
    public void Values_are_judged_exactly(string schema, string json, bool valid) => Assert.Equal(valid, Judge(schema, json).Length == 0);

    [Theory]
    [InlineData("""{"unevaluatedProperties":false}""", "#/unevaluatedProperties: this keyword is not supported, so values could not be judged")]
    [InlineData("""{"properties":{"a":{"nullable":true}}}""", "#/properties/a/nullable: this keyword is not supported, so values could not be judged")]
    [InlineData("""{"$dynamicRef":"#a"}""", "#/$dynamicRef: this keyword is not supported, so values could not be judged")]
    [InlineData("""{"$ref":"https://example.org/a"}""", "#/$ref: \"https://example.org/a\": only references into the same schema (#/…) are supported")]
    [InlineData("""{"$ref":"#/$defs/a"}""", "#/$ref: \"#/$defs/a\": nothing stands there")]
    [InlineData("""{"$defs":{"a":{"typo":1}}}""", "#/$defs/a/typo: this keyword is not supported, so values could not be judged")]
    [InlineData("""{"items":[{}]}""", "#/items: a schema must be an object, true or false")]
    [InlineData("""{"properties":{"a":{"$id":"b"}}}""", "#/properties/a/$id: is supported at the root only")]
    [InlineData("""{"type":"int"}""", "#/type: \"int\" is not a JSON type")]
    [InlineData("""{"type":3}""", "#/type: must be a list of different strings")]
    [InlineData("""{"required":["a","a"]}""", "#/required: must be a list of different strings")]
    [InlineData("""{"minLength":-1}""", "#/minLength: must be a whole number, zero or more")]
    [InlineData("""{"minLength":1.5}""", "#/minLength: must be a whole number, zero or more")]
    [InlineData("""{"exclusiveMinimum":true}""", "#/exclusiveMinimum: must be a number")]
    [InlineData("""{"multipleOf":0}""", "#/multipleOf: must be greater than zero")]
    [InlineData("""{"anyOf":[]}""", "#/anyOf: must be a list of at least one schema")]
    [InlineData("""{"properties":[]}""", "#/properties: must be an object of schemas")]
    [InlineData("""{"dependentRequired":[]}""", "#/dependentRequired: must be an object of lists")]
    [InlineData("""{"uniqueItems":1}""", "#/uniqueItems: must be true or false")]
    [InlineData("""{"enum":1}""", "#/enum: must be a list")]
    [InlineData("""{"pattern":1}""", "#/pattern: must be a string")]
    [InlineData("""{"type":"string","type":"number"}""", "#/type: the name stands twice in one object")]
    [InlineData("3", "#: a schema must be an object, true or false")]
    [InlineData("""{"$ref":"#"}""", "#: refers back to itself without looking into the value")]
    [InlineData("""{"$defs":{"a":{"anyOf":[{"$ref":"#/$defs/b"}]},"b":{"not":{"$ref":"#/$defs/a"}}}}""", "#/$defs/a: refers back to itself without looking into the value")]
    public void A_schema_that_could_not_be_judged_is_refused(string schema, string problem)
    {
        Assert.False(JsonSchema.TryCompile(JsonElement.Parse(schema), out _, out var problems));
        Assert.Equal([problem], problems);
    }

    [Theory]
    [InlineData("""{"minimum":100}""", "1", "expected at least 100")]
    [InlineData("""{"maximum":-0.05}""", "1", "expected at most -0.05")]
    [InlineData("""{"exclusiveMaximum":12.50}""", "13", "expected less than 12.5")]
    [InlineData("""{"exclusiveMinimum":1e300}""", "13", "expected more than 1e300")]
    [InlineData("""{"multipleOf":10}""", "13", "expected a multiple of 10")]
    public void Errors_write_bounds_in_short_form(string schema, string json, string expected) => Assert.Equal([expected], Judge(schema, json));

    [Fact]
    public void Annotations_do_not_stand_in_the_way() => Assert.Empty(Judge(
        """
        {"$schema":"http://json-schema.org/draft-07/schema#","$id":"https://example.org/a","$comment":"c","title":"t","description":"d","default":1,
         "examples":[1],"readOnly":true,"writeOnly":true,"deprecated":true,"format":"email","contentEncoding":"base64","contentMediaType":"a/b",
         "discriminator":{"propertyName":"a"},"x-anything":{"unknown":1},"definitions":{"a":true}}
        """,
        "1"));

    [Fact]
    public void A_compiled_schema_outlives_its_document()
    {
        JsonSchema schema;
        using (var document = JsonDocument.Parse(Order))
        {
            Assert.True(JsonSchema.TryCompile(document.RootElement, out var compiled, out _));
            schema = compiled;
        }

        Assert.Single(schema.Validate(JsonElement.Parse("""{"topic":"x","payment":{"kind":"gold"},"colour":"red"}""")));
    }

    [Fact]
    public void A_long_chain_of_references_is_refused_and_not_followed()
    {
        var definitions = string.Join(',', Enumerable.Range(0, 20_000).Select(i => $$"""  "d{{i}}":{"$ref":"#/$defs/d{{i + 1}}"}  """));

        Assert.False(JsonSchema.TryCompile(JsonElement.Parse($$$"""{"$defs":{{{{definitions}}},"d20000":true}}"""), out _, out var problems));
        Assert.Contains("more than 128 references", Assert.Single(problems), StringComparison.Ordinal);
    }

    [Fact]
    public void References_that_multiply_are_given_up()
    {
        var definitions = string.Join(',', Enumerable.Range(0, 40).Select(i => $$"""  "d{{i}}":{"allOf":[{"$ref":"#/$defs/d{{i + 1}}"},{"$ref":"#/$defs/d{{i + 1}}"}]}  """));
        var schema = $$$"""{"$ref":"#/$defs/d0","$defs":{{{{definitions}}},"d40":true}}""";

        Assert.Equal(["too costly to check: the schema's references multiply"], Judge(schema, "\"a\""));
        Assert.Equal(["too costly to check: the schema's references multiply"], Judge($$"""{"not":{{schema.Replace("#/", "#/not/", StringComparison.Ordinal)}} }""", "\"a\""));
    }

    [Fact]
    public void A_value_nested_too_deep_for_its_schema_is_an_error()
    {
        const int depth = 5_000;
        Assert.True(JsonSchema.TryCompile(JsonElement.Parse("""{"items":{"$ref":"#"}}"""), out var schema, out _));
        using var document = JsonDocument.Parse(new string('[', depth) + new string(']', depth), new JsonDocumentOptions { MaxDepth = depth });

        Assert.Equal("value and schema are nested too deep to check", Assert.Single(schema.Validate(document.RootElement)).Message);
    }

    [Fact]
    public void A_validation_lists_at_most_fifty_errors()
    {
        var errors = Judge("""{"items":{"type":"string"}}""", $"[{string.Join(',', Enumerable.Range(0, 1000))}]");

        Assert.Equal(50, errors.Length);
        Assert.Equal("49: expected string, got integer", errors[^1]);
    }

    [Fact]
    public void A_union_without_tags_is_explained_by_every_alternative() => Assert.Equal(
        ["matches none of the alternatives (a: field required; b: field required)"],
        Judge("""{"anyOf":[{"type":"object","required":["a"]},{"type":"object","required":["b"]}]}""", "{}"));

    [Fact]
    public void A_path_is_a_JSON_pointer()
    {
        Assert.True(JsonSchema.TryCompile(JsonElement.Parse("""{"properties":{"a/b":{"items":{"type":"string"}}}}"""), out var schema, out _));

        Assert.Equal([new SchemaError("/a~1b/1", "expected string, got null")], schema.Validate(JsonElement.Parse("""{"a/b":["x",null]}""")));
    }

    private static string[] Judge(string schema, string json)
    {
        Assert.True(JsonSchema.TryCompile(JsonElement.Parse(schema), out var compiled, out var problems), string.Join("; ", problems));
        return [.. compiled.Validate(JsonElement.Parse(json)).Select(error => error.ToString())];
    }
}
