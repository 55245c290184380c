using System.Reflection;
using Broker.Auth;

namespace Broker.Operations;

/// <summary>Page at the bare address, with links to the documents.</summary>
internal static class HomePage
{
    public static void MapHomePage(this IEndpointRouteBuilder routes)
    {
        var page = Read();
        routes.MapGet("/", (HttpResponse response) =>
        {
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
