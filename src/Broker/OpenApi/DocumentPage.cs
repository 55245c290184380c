using System.Text;
using Broker.Api.BrokerDialect;
using Broker.Auth;

namespace Broker.OpenApi;

/// <summary>
/// Page at /docs that shows the API document. It answers at the bare path without a redirect, since health checks of stock
/// container set-ups expect a 200 there. The broker dialect has the page once more under its prefix.
/// </summary>
internal static class DocumentPage
{
    private const string Path = "/docs";
    private const string PrefixedPath = BrokerDialectApi.Prefix + Path;

    /// <summary>Whether a path is one of the page or of its files.</summary>
    public static bool IsAt(PathString path) =>
        path.StartsWithSegments(Path, StringComparison.OrdinalIgnoreCase) || path.StartsWithSegments(PrefixedPath, StringComparison.OrdinalIgnoreCase);

    /// <summary>Only for the files: it would be one more thing to wait for in every other request, and it redirects the bare path.</summary>
    public static void UseDocumentFiles(this IApplicationBuilder app, PathString pathBase) =>
        app.UseWhen(http => http.Request.Path.StartsWithSegments(Path, StringComparison.OrdinalIgnoreCase, out var file) && file.Value is not ("" or "/"), files => files.UseSwaggerUI(page =>
        {
            page.RoutePrefix = Path[1..];
            page.SwaggerEndpoint($"{pathBase}/{ApiDocument.Name}.json", "Broker API");
            page.SwaggerEndpoint($"{pathBase}/{ApiDocument.Aliases}.json", "Second paths");
            page.ConfigObject.AdditionalItems["tryItOutEnabled"] = true;
            page.EnableFilter();
            page.DefaultModelsExpandDepth(0);
            page.IndexStream = () => new MemoryStream(Encoding.UTF8.GetBytes(Html("./")));
        }));

    public static void MapDocumentPage(this IEndpointRouteBuilder routes)
    {
        Map(routes, Path, "docs/", "./");
        Map(routes, PrefixedPath, "../docs/", "../../docs/");
    }

    // Relative, because a proxy may serve the broker under a path: the files lie elsewhere from a path that ends with a slash.
    private static void Map(IEndpointRouteBuilder routes, string path, string files, string filesFromSlash) =>
        routes.MapGet(path, (HttpRequest request) => Results.Text(Html(request.Path.Value!.EndsWith('/') ? filesFromSlash : files), "text/html", Encoding.UTF8))
            .RequireScope(Scope.Any).ByWorkflow().ExcludeFromDescription();

    private static string Html(string files) => $"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
            <meta charset="utf-8">
            <title>Broker API</title>
            <link rel="stylesheet" href="{files}swagger-ui.css">
            <link rel="stylesheet" href="{files}index.css">
            <link rel="icon" type="image/png" href="{files}favicon-32x32.png" sizes="32x32">
        </head>
        <body>
            <div id="swagger-ui"></div>
            <script src="{files}swagger-ui-bundle.js"></script>
            <script src="{files}swagger-ui-standalone-preset.js"></script>
            <script src="{files}index.js"></script>
        </body>
        </html>

        """;
}
