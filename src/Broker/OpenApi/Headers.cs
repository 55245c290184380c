using Broker.Api;
using Microsoft.OpenApi;

namespace Broker.OpenApi;

/// <summary>Headers of answers, each with its text.</summary>
internal static class Headers
{
    private static readonly Dictionary<string, (string Text, JsonSchemaType Type)> Known = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Accept-Encoding"] = ("Content codings that are taken: identity.", JsonSchemaType.String),
        [DrainNotice.Header] = ("`true`: the worker is drained, and gets no further steps.", JsonSchemaType.String),
        ["Idempotency-Replayed"] = ("`true`: an earlier request with the same `Idempotency-Key` started the run.", JsonSchemaType.String),
        ["Location"] = ("Path of the status of the run.", JsonSchemaType.String),
        ["Retry-After"] = ("Seconds after which the request may be sent again.", JsonSchemaType.Integer),
        ["WWW-Authenticate"] = ("How to send a key.", JsonSchemaType.String),
    };

    public static void Add(OpenApiResponse response, string name)
    {
        var (text, type) = Known[name];
        (response.Headers ??= new Dictionary<string, IOpenApiHeader>()).TryAdd(name, new OpenApiHeader { Description = text, Schema = new OpenApiSchema { Type = type } });
    }
}
