using Broker.Operators;
using Broker.Operators.Where;
using Broker.Ui.Routing;
using Microsoft.AspNetCore.Http;

namespace Broker.Ui.Pages;

/// <summary>The list of runs.</summary>
internal static class RunListPages
{
    public static async Task<IResult> ShowAsync(HttpContext http, IOperatorApi api, CancellationToken ct)
    {
        var query = new PageQuery(http.Request);
        var page = await PageResult.ContextAsync(http, api, ct);
        var where = query.Where(out var error);
        var found = new RunsFound(query.Text("where") ?? "", where, error?.ToString(), null);
        if (error is null)
        {
            try
            {
                found = found with { Runs = await api.ListRunsAsync(new(where) { Cursor = query.Text("cursor") }, ct) };
            }
            catch (OperatorException refused) when (refused.Status == StatusCodes.Status400BadRequest)
            {
                found = found with { Fault = refused.Message };
            }
        }

        return PageResult.Show<RunListPage>(new()
        {
            [nameof(RunListPage.Page)] = page,
            [nameof(RunListPage.Found)] = found,
            [nameof(RunListPage.IsFirst)] = query.Text("cursor") is null,
        });
    }
}

/// <summary>A search for runs.</summary>
/// <param name="Text">The expression as it was written.</param>
/// <param name="Where">The expression; every run fits it after a fault.</param>
/// <param name="Fault">Why there is no list.</param>
/// <param name="Runs">A page of runs.</param>
public sealed record RunsFound(string Text, WhereExpression Where, string? Fault, Listing<RunSummary>? Runs)
{
    /// <summary>The status words of the expression, where they are its only term of that kind.</summary>
    public string Status => string.Join(',', Where.Terms.Where(term => term.Field == "status").SelectMany(term => term.Values).Select(value => value.Text));

    /// <summary>The same search for another status; null: for all.</summary>
    public string WithStatus(string? status)
    {
        var others = Where.Terms.Where(term => term.Field != "status").Select(term => term.ToString());
        return string.Join(' ', status is null ? others : others.Prepend($"status={status}"));
    }
}
