using Broker.Http;
using Broker.OpenApi;
using Broker.Operators;
using Broker.Operators.Where;

namespace Broker.Api.Operators;

/// <summary>Lists and counts of runs.</summary>
internal static class RunListRoutes
{
    public static readonly QueryParameter Order = QueryParameter.Text("order", "Order of creation; default newest.", "newest", "oldest");

    public static readonly QueryParameter Max = new("max", $"The count goes no further; default {Limits.LargestCount}.", Limits.LargestCount) { Least = 1 };

    // Each is short for a condition of the expression. All conditions must be met.
    private static readonly (string Name, WhereOperator Operator, string Description)[] Short =
    [
        ("workflow", WhereOperator.Equal, "Names of workflows, separated by commas."),
        ("status", WhereOperator.Equal, $"Any of {string.Join(", ", WhereField.Statuses)}, separated by commas; `active` is every status before the end."),
        ("instance", WhereOperator.Equal, "Instance ids, or the begin of some: `abc*`."),
        ("version", WhereOperator.Equal, "Versions of the definition."),
        ("since", WhereOperator.Equal, "Created after: an instant, a day, or a time ago such as `1h`."),
        ("until", WhereOperator.Equal, "Created before."),
        ("error", WhereOperator.Contains, "Text that the error holds, in any case."),
        ("step", WhereOperator.Equal, "Steps of which one is ready, leased or waiting, or has failed."),
        ("worker", WhereOperator.Equal, "Workers of which one holds a lease of the run."),
    ];

    /// <summary>Parameters that choose runs.</summary>
    public static IReadOnlyList<QueryParameter> Choice { get; } =
    [
        QueryParameter.Text("where", "Conditions, such as `workflow=ci status=failed since=1h error~timeout`: see docs/where.md."),
        .. Short.Select(parameter => QueryParameter.Text(parameter.Name, parameter.Description)),
    ];

    public static async Task ListAsync(HttpContext http, IOperatorApi api, CancellationToken ct)
    {
        var query = new OperatorQuery(http.Request);
        var chosen = query.Page(ChoiceOf(query) with { OldestFirst = query.Word("order", "newest", "newest", "oldest") == "oldest" });
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.ListRunsAsync(chosen, ct), OperatorJson.Default.ListingRunSummary);
    }

    public static async Task CountAsync(HttpContext http, IOperatorApi api, CancellationToken ct)
    {
        var query = new OperatorQuery(http.Request);
        var max = query.Number("max", Limits.LargestCount, 1, Limits.LargestCount);
        if (query.Text("group") is not null)
        {
            if (query.Text("max") is not null) throw OperatorException.BadParameter("max", "is not taken with group");
            var groups = await api.GroupRunsAsync(ChoiceOf(query), query.Word("group", "", "status", "workflow", "error"), ct);
            await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, groups, OperatorJson.Default.RunCount);
            return;
        }

        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.CountRunsAsync(ChoiceOf(query), max, ct), OperatorJson.Default.RunCount);
    }

    /// <summary>The expression together with the parameters that are short for conditions.</summary>
    public static RunQuery ChoiceOf(OperatorQuery query)
    {
        var where = Parse(query.Text("where"), "where");
        foreach (var (name, comparison, _) in Short)
        {
            if (query.Text(name) is not { } text) continue;

            // A text is one value; the others are lists of the language.
            where = comparison is WhereOperator.Contains
                ? where.And(name, comparison, NotEmpty(name, text))
                : where.And(Parse($"{name}{WhereTerm.SignOf(comparison)}{text}", name));
        }

        return new RunQuery(where);
    }

    private static WhereValue NotEmpty(string name, string text) => text.Length > 0 ? new(text, IsQuoted: true) : throw OperatorException.BadParameter(name, "expected a text");

    private static WhereExpression Parse(string? text, string name)
    {
        if (WhereExpression.TryParse(text, out var where, out var error)) return where;
        if (name != "where") throw OperatorException.BadParameter(name, error!.Message);
        throw new OperatorException(StatusCodes.Status400BadRequest, "invalid_where", $"where, {error}", "query.where") { Column = error!.Column };
    }
}
