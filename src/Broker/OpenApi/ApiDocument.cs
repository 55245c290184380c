using System.Reflection;
using Broker.Api.BrokerDialect;
using Broker.Auth;
using Broker.Http;
using Broker.Operators;
using Microsoft.AspNetCore.Authorization;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Broker.OpenApi;

/// <summary>The description of every route at /openapi.json and /openapi.yaml, also under the prefix of the broker dialect.</summary>
internal static class ApiDocument
{
    public const string Name = "openapi";

    public static void AddApiDocument(this IServiceCollection services)
    {
        services.AddEndpointsApiExplorer().AddSwaggerGen(Describe);
        DataContracts.Wrap(services);
    }

    private static void Describe(SwaggerGenOptions options)
    {
        options.SwaggerDoc(Name, new OpenApiInfo
        {
            Title = "Broker API",
            Version = Assembly.GetExecutingAssembly().GetName().Version?.ToString(3) ?? "1.0.0",
            Description = "Keeps workflow definitions, runs them and hands their steps to workers. Four dialects speak to one engine: "
                + "a run that is started through any of them can be watched, signalled, paused or finished through any other.",
            License = new OpenApiLicense { Name = "MIT", Url = new Uri("https://opensource.org/license/mit") },
        });
        options.AddServer(new OpenApiServer { Url = "/" });
        options.IncludeXmlComments(typeof(ApiDocument).Assembly);
        options.IncludeXmlComments(typeof(IOperatorApi).Assembly);
        options.SupportNonNullableReferenceTypes();
        options.NonNullableReferenceTypesAsRequired();
        options.MapType<JsonPassThrough>(() => new OpenApiSchema());
        options.MapType<EpochSeconds>(() => new OpenApiSchema { Type = JsonSchemaType.Number, Format = "double" });
        options.MapType<JsonPassThrough?>(() => new OpenApiSchema());
        options.MapType<RawJson>(() => new OpenApiSchema());
        options.MapType<RawJson?>(() => new OpenApiSchema());
        options.CustomSchemaIds(SchemaNames.Of);
        options.CustomOperationIds(api => api.ActionDescriptor.EndpointMetadata.OfType<IEndpointNameMetadata>().LastOrDefault()?.EndpointName);
        options.AddSecurityDefinition(SecurityFilter.Scheme, new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = "bearer",
            Description = "An API key, as `broker keys create` prints it. A broker without keys asks for none. Each operation names the scopes "
                + "of which a key needs one; `admin` stands for all. This page takes a key as the password of any user name.",
        });
        options.SchemaFilter<SchemaFilter>();
        options.OperationFilter<SecurityFilter>();
        options.OperationFilter<ExampleFilter>();
        options.OperationFilter<AnswerFilter>();
        options.OperationFilter<IdempotencyFilter>();
        options.OperationFilter<QueryFilter>();
        options.OperationFilter<OtherBodyFilter>();
        options.OperationFilter<ContentCodingFilter>();
        options.DocumentFilter<TagFilter>();
    }

    public static void MapApiDocument(this WebApplication app)
    {
        foreach (var prefix in (string[])["", BrokerDialectApi.Prefix])
        {
            app.MapSwagger(
                $"{prefix}/{{documentName:regex(^{Name}$)}}.{{extension:regex(^(json|yaml)$)}}", options => options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1)
                .RequireScope(Auth.Scope.Any).ByWorkflow();
        }

        app.MapDocumentPage();
    }

    /// <summary>Keys are optional where none are configured; probes never ask for one.</summary>
    private sealed class SecurityFilter : IOperationFilter
    {
        public const string Scheme = "bearer";

        public void Apply(OpenApiOperation operation, OperationFilterContext context)
        {
            var route = context.ApiDescription.ActionDescriptor.EndpointMetadata;
            if (route.OfType<IAllowAnonymous>().Any())
            {
                operation.Security = [];
                return;
            }

            var scopes = ScopeWords.Of(route.OfType<RequiredScope>().LastOrDefault()?.AnyOf ?? Auth.Scope.None);
            operation.Security = [new() { [new OpenApiSecuritySchemeReference(Scheme, context.Document)] = [.. scopes] }, new()];

            // Without a body: each dialect has its own form, and clients look at the status.
            operation.Responses ??= [];
            operation.Responses.TryAdd("401", new OpenApiResponse { Description = "No API key, or one that is not known" });
            operation.Responses.TryAdd("403", new OpenApiResponse { Description = "The API key lacks the scope, or is for other workflows; without keys: the host name or the web page is not allowed" });
            operation.Responses.TryAdd("429", new OpenApiResponse { Description = "Too many wrong API keys from this address" });
        }
    }
}
