using Broker.Operators;
using Broker.Ui.Pages;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Broker.Ui.Routing;

/// <summary>Right that a route of the console takes. The host says how it is checked.</summary>
public enum ConsoleRight
{
    /// <summary>Style sheet, scripts and sign-in: no key.</summary>
    Open,

    /// <summary>Any key.</summary>
    Any,

    /// <summary>A key that may look at runs.</summary>
    Read,

    /// <summary>A key that may start runs.</summary>
    Create,

    /// <summary>A key that may steer runs.</summary>
    Manage,

    /// <summary>A key that may send events.</summary>
    Event,

    /// <summary>A key that may delete runs.</summary>
    Delete,

    /// <summary>A key that may do everything.</summary>
    Admin,
}

/// <summary>The console: pages for people below <c>/ui</c>. Every page and form works without script.</summary>
public static class ConsoleRoutes
{
    /// <summary>Path of the console.</summary>
    public const string Prefix = Links.Prefix;

    /// <summary>Policy of the pages: their own scripts, styles and forms, and no text becomes markup in a script.</summary>
    public const string ContentPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; "
        + "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types broker";

    /// <summary>Header of a request by the console's script: it gets a status where a browser would be led to the sign-in.</summary>
    public const string FragmentHeader = "X-Fragment";

    /// <summary>Address of the sign-in that leads back to the page of a request.</summary>
    public static string SignInAddress(HttpContext http) => SignInPages.Address(http);

    /// <summary>Maps the pages.</summary>
    /// <param name="routes">Routes of the host.</param>
    /// <param name="guard">Puts the check of a right on a route.</param>
    public static void MapConsole(this IEndpointRouteBuilder routes, Action<RouteHandlerBuilder, ConsoleRight> guard)
    {
        guard(routes.MapGet($"{Prefix}/assets/{{version}}/{{name}}", ConsoleAssets.SendAsync), ConsoleRight.Open);
        var pages = new ConsolePages(routes.MapGroup(Prefix).AddEndpointFilter(ConsoleFilter.InvokeAsync), guard);
        guard(pages.Group.MapGet($"/{SignInPages.Path}", SignInPages.ShowAsync).ExcludeFromDescription(), ConsoleRight.Open);
        guard(pages.Group.MapPost($"/{SignInPages.Path}", SignInPages.EnterAsync).ExcludeFromDescription(), ConsoleRight.Open);
        guard(pages.Group.MapPost("/logout", SignInPages.LeaveAsync).ExcludeFromDescription(), ConsoleRight.Open);
        pages.Get("/", HomePages.ShowAsync, ConsoleRight.Read);
        pages.Get("/runs", RunListPages.ShowAsync, ConsoleRight.Read);
        pages.Get("/runs/{workflow}/{instance}", RunPages.ShowAsync, ConsoleRight.Read);
        foreach (var action in RunActionPages.All)
        {
            pages.Get($"/runs/{{workflow}}/{{instance}}/{action.Name}", (http, api, ct) => RunActionPages.AskAsync(action, http, api, ct), ConsoleRight.Read);
            pages.Post($"/runs/{{workflow}}/{{instance}}/{action.Name}", (http, api, ct) => RunActionPages.ActAsync(action, http, api, ct), action.Right);
        }

        pages.Post("/runs/{workflow}/{instance}/events", RunPages.SendEventAsync, ConsoleRight.Event);
        pages.Get("/workflows", WorkflowPages.ListAsync, ConsoleRight.Read);
        pages.Get("/workflows/{workflow}", WorkflowPages.ShowAsync, ConsoleRight.Read);
        pages.Post("/workflows/{workflow}/runs", WorkflowPages.StartAsync, ConsoleRight.Create);
        pages.Get("/waiting", WorkPages.WaitingAsync, ConsoleRight.Read);
        pages.Get("/workers", WorkPages.WorkersAsync, ConsoleRight.Read);
        pages.Get("/workers/{worker}", WorkPages.WorkerAsync, ConsoleRight.Read);
        pages.Get("/queues", WorkPages.QueuesAsync, ConsoleRight.Read);
        pages.Get("/failures", FailurePages.ShowAsync, ConsoleRight.Read);
        pages.Get("/search", SearchPages.ShowAsync, ConsoleRight.Read);
        pages.Get("/audit", WorkPages.AuditAsync, ConsoleRight.Admin);
        pages.Get("/keys", KeyPages.ShowAsync, ConsoleRight.Admin);
        pages.Post("/keys", KeyPages.CreateAsync, ConsoleRight.Admin);
        pages.Get("/system", WorkPages.SystemAsync, ConsoleRight.Admin);
        MapBulk(pages);
        foreach (var order in Orders.All)
        {
            pages.Get(order.Pattern, (http, api, ct) => OrderPages.AskAsync(order, http, api, ct), order.Right is ConsoleRight.Admin ? ConsoleRight.Admin : ConsoleRight.Read);
            pages.Post(order.Pattern, (http, api, ct) => OrderPages.ActAsync(order, http, api, ct), order.Right);
        }
    }

    private static void MapBulk(ConsolePages pages)
    {
        pages.Get("/bulk", BulkPages.ListAsync, ConsoleRight.Read);
        pages.Get("/bulk/new", BulkPages.NewAsync, ConsoleRight.Read);
        pages.Post("/bulk/plan", BulkPages.PlanAsync, ConsoleRight.Manage);
        pages.Get("/bulk/{bulk}", BulkPages.ShowAsync, ConsoleRight.Read);
        pages.Post("/bulk/{bulk}/start", BulkPages.StartAsync, ConsoleRight.Manage);
        pages.Post("/bulk/{bulk}/stop", BulkPages.StopAsync, ConsoleRight.Manage);
        pages.Post("/bulk/{bulk}/again", BulkPages.AgainAsync, ConsoleRight.Manage);
    }
}

/// <summary>A page: reads its parameters, asks the API, and answers with a component.</summary>
internal delegate Task<IResult> PageHandler(HttpContext http, IOperatorApi api, CancellationToken ct);

/// <summary>Routes of pages, each with its right.</summary>
internal sealed class ConsolePages(RouteGroupBuilder group, Action<RouteHandlerBuilder, ConsoleRight> guard)
{
    public RouteGroupBuilder Group => group;

    public void Get(string pattern, PageHandler page, ConsoleRight right) => guard(group.MapGet(pattern, Call(page)).ExcludeFromDescription(), right);

    public void Post(string pattern, PageHandler page, ConsoleRight right) => guard(group.MapPost(pattern, Call(page)).ExcludeFromDescription(), right);

    private static Func<HttpContext, IOperatorApi, CancellationToken, Task<IResult>> Call(PageHandler page) => (http, api, ct) => page(http, api, ct);
}
