using System.Text;
using Broker.Operators;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Broker.Ui.Routing;

/// <summary>Answers of pages.</summary>
internal static class PageResult
{
    public static async Task<PageContext> ContextAsync(HttpContext http, IOperatorApi api, CancellationToken ct) =>
        new(await api.MeAsync(ct), new(http.Request.PathBase), http.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow(), http.Request.Path + http.Request.QueryString,
            PageContext.ThemeOf(http.Request), http.Request.Headers.ContainsKey(ConsoleRoutes.FragmentHeader));

    public static IResult Show<TPage>(Dictionary<string, object?> parameters, int status = StatusCodes.Status200OK)
        where TPage : IComponent => new RenderedPage<TPage>(parameters, status);

    /// <summary>A page after a form: the browser reads it with GET, so that a reload sends nothing again.</summary>
    public static IResult SeeOther(HttpContext http, string address)
    {
        http.Response.Headers.Location = address;
        return TypedResults.StatusCode(StatusCodes.Status303SeeOther);
    }

    /// <summary>
    /// Renders a component without the framework's services for Razor components: those make a key ring for forms, which these pages do not use.
    /// </summary>
    private sealed class RenderedPage<TPage>(Dictionary<string, object?> parameters, int status) : IResult
        where TPage : IComponent
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            await using var renderer = new HtmlRenderer(httpContext.RequestServices, httpContext.RequestServices.GetRequiredService<ILoggerFactory>());
            var html = await renderer.Dispatcher.InvokeAsync(async () => (await renderer.RenderComponentAsync<TPage>(ParameterView.FromDictionary(parameters))).ToHtmlString());
            var bytes = Encoding.UTF8.GetBytes(html);
            httpContext.Response.StatusCode = status;
            httpContext.Response.ContentType = "text/html; charset=utf-8";
            httpContext.Response.ContentLength = bytes.Length;
            await httpContext.Response.Body.WriteAsync(bytes, httpContext.RequestAborted);
        }
    }
}
