using System.Reflection;
using Broker.Api.BrokerDialect;
using Broker.Auth;
using Broker.Http;
using Broker.Operators;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Broker.OpenApi;

/// <summary>The description of every route at /openapi.json and /openapi.yaml, also under the prefix of the broker dialect.</summary>
internal static class ApiDocument
{
    public const string Name = "openapi";

    /// <summary>Name of the document of routes that are copies of others.</summary>
    public const string Aliases = "openapi-aliases";

    public static void AddApiDocument(this IServiceCollection services)
    {
        services.AddEndpointsApiExplorer().AddSwaggerGen(Describe);
        DataContracts.Wrap(services);
    }

    private static void Describe(SwaggerGenOptions options)
    {
        options.SwaggerDoc(Name, Info("Broker API", "Keeps workflow definitions, runs them and hands their steps to workers. Four dialects speak to one engine: "
            + "a run that is started through any of them can be watched, signalled, paused or finished through any other."));
        options.SwaggerDoc(Aliases, Info("Broker API, second paths", "Routes that serve a dialect once more under another path, for clients of other ages: the broker dialect below `/broker`, "
            + $"the handlers dialect in its newest form below `/agents`, the instances dialect at root and with flat paths. New clients use `/{Name}.json`."));
        options.AddServer(new OpenApiServer { Url = "/" });

        // An application around the broker may have documents and routes of its own.
        options.DocInclusionPredicate((document, api) => document is Name or Aliases
            ? api.GroupName == Name && api.ActionDescriptor.EndpointMetadata.OfType<Alias>().Any() == (document == Aliases)
            : api.GroupName is null || api.GroupName == document);
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
        options.AddSecurityDefinition(RefusalFilter.Scheme, new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = "bearer",
            Description = "An API key, as `broker keys create` prints it. A broker without keys asks for none. Each operation names the scopes "
                + "of which a key needs one; `admin` stands for all. This page takes a key as the password of any user name.",
        });
        options.AddMixedForms();
        options.SchemaFilter<SchemaFilter>(new MemberTexts(typeof(ApiDocument).Assembly, typeof(IOperatorApi).Assembly));
        options.OperationFilter<ExampleFilter>();
        options.OperationFilter<AnswerFilter>();
        options.OperationFilter<HeaderFilter>();
        options.OperationFilter<QueryFilter>();
        options.OperationFilter<BodyFilter>();
        options.OperationFilter<PathTexts>();
        options.OperationFilter<RefusalFilter>();
        options.DocumentFilter<TagFilter>();
    }

    /// <summary>Whether a path is one of a document.</summary>
    public static bool IsAt(PathString path) =>
        (path.StartsWithSegments(BrokerDialectApi.Prefix, StringComparison.OrdinalIgnoreCase, out var rest) ? rest : path).Value is $"/{Name}.json" or $"/{Name}.yaml" or $"/{Aliases}.json" or $"/{Aliases}.yaml";

    private static OpenApiInfo Info(string title, string description) => new()
    {
        Title = title,
        Version = Assembly.GetExecutingAssembly().GetName().Version?.ToString(3) ?? "1.0.0",
        Description = description,
        License = new OpenApiLicense { Name = "MIT", Url = new Uri("https://opensource.org/license/mit") },
    };

    public static void MapApiDocument(this IEndpointRouteBuilder routes, PathString pathBase)
    {
        foreach (var prefix in (string[])["", BrokerDialectApi.Prefix])
        {
            routes.MapSwagger($"{prefix}/{{documentName:regex(^({Name}|{Aliases})$)}}.{{extension:regex(^(json|yaml)$)}}", options =>
            {
                options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
                if (pathBase.HasValue) options.PreSerializeFilters.Add((document, _) => document.Servers = [new OpenApiServer { Url = $"{pathBase}/" }]);
            })
                .RequireScope(Auth.Scope.Any).ByWorkflow();
        }

        routes.MapDocumentPage();
    }
}
