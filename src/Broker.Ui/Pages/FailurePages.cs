using Broker.Operators;
using Broker.Operators.Where;
using Broker.Ui.Routing;
using Microsoft.AspNetCore.Http;

namespace Broker.Ui.Pages;

/// <summary>Failures that look alike.</summary>
internal static class FailurePages
{
    public static readonly string[] Spans = ["24h", "1h", "7d", "30d"];

    public static async Task<IResult> ShowAsync(HttpContext http, IOperatorApi api, CancellationToken ct)
    {
        var query = new PageQuery(http.Request);
        var page = await PageResult.ContextAsync(http, api, ct);
        var span = query.Text("since") is "all" ? "all" : query.Word("since", Spans);
        var workflow = query.Text("workflow");
        var groups = await api.ListFailuresAsync(new() { Since = span == "all" ? null : span, Workflows = workflow is null ? [] : [workflow] }, ct);
        return PageResult.Show<FailuresPage>(new()
        {
            [nameof(FailuresPage.Page)] = page,
            [nameof(FailuresPage.Failures)] = groups,
            [nameof(FailuresPage.Span)] = span,
            [nameof(FailuresPage.Workflow)] = workflow,
        });
    }

    /// <summary>The expression that the failed runs of a group fit.</summary>
    public static string Where(FailureSummary group, string span)
    {
        var where = WhereExpression.All.And("status", WhereOperator.Equal, new WhereValue("failed", IsQuoted: false)).And("error.group", WhereOperator.Equal, new WhereValue(group.Id, IsQuoted: false));
        return (span == "all" ? where : where.And("since", WhereOperator.Equal, new WhereValue(span, IsQuoted: false))).ToString();
    }
}
