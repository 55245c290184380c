using Broker.Auth;
using Broker.Http;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Broker.OpenApi;

/// <summary>Scopes of each operation, and the refusals that the layers around every route give, in the form of its dialect.</summary>
internal sealed class RefusalFilter : IOperationFilter
{
    public const string Scheme = "bearer";

    private const string Unauthorized = "No API key, or one that is not known";
    private const string Forbidden = "The API key lacks the scope, or is for other workflows; without keys: the host name or the web page is not allowed";
    private const string TooMany = "A limit is reached, of wrong API keys, requests, streams or waiting runs: see `Retry-After`";
    private const string Unavailable = "The broker or its database cannot answer now: see `Retry-After`";

    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        var route = context.ApiDescription.ActionDescriptor.EndpointMetadata;
        var isOpen = route.OfType<IAllowAnonymous>().Any();
        operation.Security = isOpen
            ? []
            : [new() { [new OpenApiSecuritySchemeReference(Scheme, context.Document)] = [.. ScopeWords.Of(route.OfType<RequiredScope>().LastOrDefault()?.AnyOf ?? Auth.Scope.None)] }, new()];

        if (!isOpen) Refuse(operation, context, 401, Unauthorized, "WWW-Authenticate");
        Refuse(operation, context, 403, Forbidden, "WWW-Authenticate");

        if (operation.RequestBody is not null)
        {
            Refuse(operation, context, 400, "The body cannot be read");
            Refuse(operation, context, 408, "The body did not arrive in time");
            Refuse(operation, context, 413, "The body is larger than the limit");
            Refuse(operation, context, 415, "The content type or the Content-Encoding of the body is not taken: send it uncompressed", "Accept-Encoding");
        }

        if (!isOpen) Refuse(operation, context, 429, TooMany, "Retry-After");
        Refuse(operation, context, 500, "The broker failed");
        Refuse(operation, context, 503, Unavailable, "Retry-After");
        var ordered = operation.Responses!.OrderBy(response => response.Key, StringComparer.Ordinal).ToList();
        operation.Responses!.Clear();
        foreach (var (status, response) in ordered) operation.Responses.Add(status, response);
    }

    /// <summary>Adds the refusal, or what the route's own description of that status lacks.</summary>
    private static void Refuse(OpenApiOperation operation, OperationFilterContext context, int status, string text, string? header = null)
    {
        var route = context.ApiDescription.ActionDescriptor.EndpointMetadata;
        var form = route.OfType<DialectErrorFormat>().LastOrDefault()?.Form ?? ProblemAnswer.Form;
        IReadOnlyList<ErrorForm> forms = form != ProblemAnswer.Form && IsRefusedByRouting(route, status) ? [form, ProblemAnswer.Form] : [form];
        var responses = operation.Responses ??= [];
        if (responses.TryGetValue($"{status}", out var known) && known is OpenApiResponse own)
        {
            foreach (var one in forms) Complete(own, one, status, header, context);
            return;
        }

        // Equal for all routes of a form: described once.
        var name = $"{(form.Type == typeof(string) ? "Text" : SchemaNames.Of(form.Type))}{(forms.Count > 1 ? "OrProblem" : "")}{status}";
        var components = context.Document.Components ??= new();
        var shared = components.Responses ??= new Dictionary<string, IOpenApiResponse>();
        if (!shared.ContainsKey(name))
        {
            var response = new OpenApiResponse { Description = text };
            foreach (var one in forms) Complete(response, one, status, header, context);
            shared.Add(name, response);
        }

        responses[$"{status}"] = new OpenApiResponseReference(name, context.Document);
    }

    // A body of another content type reaches no route, so no dialect: the layers in front of it answer with a problem.
    private static bool IsRefusedByRouting(IEnumerable<object> route, int status) =>
        status is 401 or 403 or 415 or 429 && route.OfType<IAcceptsMetadata>().LastOrDefault() is { ContentTypes: var types } && !types.Contains("*/*");

    private static void Complete(OpenApiResponse response, ErrorForm form, int status, string? header, OperationFilterContext context)
    {
        if (header is not null) Headers.Add(response, header);
        var content = response.Content ??= new Dictionary<string, IOpenApiMediaType>();
        var schema = context.SchemaGenerator.GenerateSchema(form.Type, context.SchemaRepository);
        var example = form.Example(status, ErrorExamples.MessageOf(context.ApiDescription.ActionDescriptor.EndpointMetadata, status));
        if (!content.TryGetValue(form.ContentType, out var known)) content[form.ContentType] = new OpenApiMediaType { Schema = schema, Example = example };
        else if (known is OpenApiMediaType { Schema: OpenApiSchemaReference other } both && schema is OpenApiSchemaReference own && other.Reference.Id != own.Reference.Id) both.Schema = new OpenApiSchema { AnyOf = [other, own] };
    }
}
