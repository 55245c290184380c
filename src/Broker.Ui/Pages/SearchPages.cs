using Broker.Operators;
using Broker.Operators.Where;
using Broker.Ui.Routing;
using Microsoft.AspNetCore.Http;

namespace Broker.Ui.Pages;

/// <summary>The search field of every page: an id, a name, or an expression.</summary>
internal static class SearchPages
{
    private const int MostHits = 50;
    private const int LongestText = 200;

    public static async Task<IResult> ShowAsync(HttpContext http, IOperatorApi api, CancellationToken ct)
    {
        var text = new PageQuery(http.Request).Text("q")?.Trim() ?? "";
        var links = new Links(http.Request.PathBase);
        var isExpression = WhereExpression.TryParse(text, out var where, out _) && where.Terms.Count > 0;
        if (text.Length is 0 or > LongestText || isExpression) return PageResult.SeeOther(http, links.Runs(text));
        var hits = (await api.SearchAsync(text, MostHits, ct)).Hits;
        if (hits is [var only]) return PageResult.SeeOther(http, Address(links, only));

        // An expression with a fault: the list of runs says where it is.
        if (hits.Count == 0 && text.AsSpan().ContainsAny("=~<>")) return PageResult.SeeOther(http, links.Runs(text));
        var page = await PageResult.ContextAsync(http, api, ct);
        return PageResult.Show<SearchPage>(new() { [nameof(SearchPage.Page)] = page, [nameof(SearchPage.Text)] = text, [nameof(SearchPage.Hits)] = hits });
    }

    /// <summary>Page of a hit.</summary>
    public static string Address(Links links, SearchHit hit) => hit switch
    {
        { Workflow: { } workflow, Instance: { } instance } => links.Run(workflow, instance, hit.Run, hit.Step is null ? null : "steps", hit.Step),
        { Kind: "worker", Id: { } worker } => links.Worker(worker),
        { Kind: "key" } => links.To("keys"),
        _ => links.Workflow(hit.Workflow ?? ""),
    };
}
