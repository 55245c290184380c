using System.Reflection;
using Broker.Auth;
using Broker.Ui.Routing;
using Microsoft.Net.Http.Headers;

namespace Broker.Operations;

/// <summary>Answer at the bare address: a browser goes on to the console; other clients get a page with links to the documents.</summary>
internal static class HomePage
{
    public static void MapHomePage(this IEndpointRouteBuilder routes)
    {
        var page = Read();
        routes.MapGet("/", (HttpRequest request, HttpResponse response) =>
        {
            // Relative, because a proxy may serve the broker under a path.
            response.Headers.Vary = HeaderNames.Accept;
            if (request.GetTypedHeaders().Accept.Any(type => type.MediaType == "text/html")) return Results.Redirect($"{ConsoleRoutes.Prefix[1..]}/");
            response.Headers.ContentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'";
            return Results.Bytes(page, "text/html; charset=utf-8");
        }).RequireScope(Scope.Any).ByWorkflow().ExcludeFromDescription();
    }

    private static byte[] Read()
    {
        using var page = Assembly.GetExecutingAssembly().GetManifestResourceStream("HomePage.html")!;
        using var copy = new MemoryStream();
        page.CopyTo(copy);
        return copy.ToArray();
    }
}
