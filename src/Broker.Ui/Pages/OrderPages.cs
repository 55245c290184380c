using Broker.Operators;
using Broker.Ui.Routing;
using Microsoft.AspNetCore.Http;

namespace Broker.Ui.Pages;

/// <summary>Pages that ask before an order, and forms that give it.</summary>
internal static class OrderPages
{
    public static Task<IResult> AskAsync(Order order, HttpContext http, IOperatorApi api, CancellationToken ct) => AskAsync(order, http, api, null, null, StatusCodes.Status200OK, ct);

    public static async Task<IResult> ActAsync(Order order, HttpContext http, IOperatorApi api, CancellationToken ct)
    {
        var target = new OrderTarget(http.Request);
        var form = await PageForm.ReadAsync(http);
        try
        {
            var links = new Links(http.Request.PathBase);
            return PageResult.SeeOther(http, await order.Act(api, target, form, ct) is { } to ? links.To(to) : order.Back(links, target));
        }
        catch (OperatorException refused) when (refused.Status is not StatusCodes.Status404NotFound)
        {
            return await AskAsync(order, http, api, form, refused, refused.Status, ct);
        }
    }

    private static async Task<IResult> AskAsync(Order order, HttpContext http, IOperatorApi api, IFormCollection? given, OperatorException? refused, int status, CancellationToken ct)
    {
        var page = await PageResult.ContextAsync(http, api, ct);
        var target = new OrderTarget(http.Request);
        var whyNot = page.WhyNot(order.Scope);
        var facts = new OrderFacts();
        try
        {
            if (whyNot is null && order.Prepare is { } prepare) facts = await prepare(api, target, ct);
        }
        catch (OperatorException impossible) when (impossible.Status == StatusCodes.Status409Conflict)
        {
            whyNot = impossible.Message;
        }

        if (given is not null) facts = facts with { Values = given.Where(field => field.Value.Count > 0).ToDictionary(field => field.Key, field => field.Value.ToString()) };
        return PageResult.Show<OrderPage>(
            new()
            {
                [nameof(OrderPage.Page)] = page,
                [nameof(OrderPage.Order)] = order,
                [nameof(OrderPage.Target)] = string.Join(" / ", http.Request.RouteValues.Where(segment => order.Pattern.Contains($"{{{segment.Key}}}", StringComparison.Ordinal)).OrderBy(segment => order.Pattern.IndexOf($"{{{segment.Key}}}", StringComparison.Ordinal)).Select(segment => segment.Value)),
                [nameof(OrderPage.Back)] = order.Back(page.Links, target),
                [nameof(OrderPage.Facts)] = facts,
                [nameof(OrderPage.WhyNot)] = whyNot,
                [nameof(OrderPage.Refused)] = refused,
            },
            status);
    }
}
