using Broker.Auth;
using Broker.Http;
using Broker.OpenApi;
using Broker.Operators;
using Broker.Operators.Where;

namespace Broker.Api.Operators;

/// <summary>Sums over runs, searches, and the broker itself.</summary>
internal static class OverviewRoutes
{
    private const int MostHits = 50;
    private const int UsualHits = 10;
    private const int UsualBuckets = 60;

    private static readonly TimeSpan UsualWindow = TimeSpan.FromHours(1);
    private static readonly TimeSpan LongestWindow = TimeSpan.FromDays(30);

    public static readonly QueryParameter Group = QueryParameter.Text("group", "Counts by group: status, workflow, or error (names of errors, of failed runs alone).", "status", "workflow", "error");

    public static void MapOverviews(this RouteGroupBuilder api)
    {
        api.MapGet("/overview", OverviewAsync).WithName("GetOverview").WithSummary("State of the broker at one look")
            .WithDescription("Each count stops at its bound: 10,000 runs, or 20,000 examined rows; then `complete` is false.")
            .Answers<Overview>().Refuses(400).Takes(QueryParameter.Text("window", "Length of time such as `1h` that failures and starts are counted in; at most `30d`."))
            .RequireScope(Scope.Read).ByWorkflow();
        api.MapGet("/failures", FailuresAsync).WithName("ListFailures").WithSummary("Failed runs in groups that look alike, the largest first")
            .WithDescription("Alike are failures of one workflow and step with the same name and, but for numbers, ids and quoted texts, the same message. `error.group=ID` in `where` chooses a group.")
            .Answers<FailureGroups>().Refuses(400)
            .Takes(
                QueryParameter.Text("since", "Created after: an instant, a day, or a time ago such as `24h`."), QueryParameter.Text("workflow", "Names of workflows, separated by commas."),
                new QueryParameter("scan", $"Failures to examine, the newest; default {Limits.LargestCount}.", Limits.LargestCount) { Least = 1 })
            .RequireScope(Scope.Read).ByWorkflow();
        api.MapGet("/runs/histogram", HistogramAsync).WithName("GetRunHistogram").WithSummary("Runs by creation and status")
            .WithDescription("Counts the newest 10,000 runs of the choice; where there are more, `complete` is false and `from` is the oldest of those.")
            .Answers<RunHistogram>().Refuses(400).Takes([.. RunListRoutes.Choice, new QueryParameter("buckets", $"Number of buckets; default {UsualBuckets}.", Limits.LargestPage) { Least = 1 }])
            .RequireScope(Scope.Read).ByWorkflow();
        api.MapGet("/search", SearchAsync).WithName("Search").WithSummary("Runs, workflows, workers, leases and keys that a text names")
            .WithDescription("Runs by their instance id or its begin, workflows by a part of their name, others by their id. Keys are for admin keys alone.")
            .Answers<SearchHits>().Refuses(400)
            .Takes(QueryParameter.Text("q", "The text, 1 to 200 characters."), new QueryParameter("limit", $"Most hits; default {UsualHits}.", MostHits) { Least = 1 })
            .RequireScope(Scope.Read).ByWorkflow();
        api.MapGet("/system", SystemAsync).WithName("GetSystem").WithSummary("The broker that answers, its settings, and the orders of operators")
            .WithDescription("Passwords are masked.")
            .Answers<SystemInfo>().Refuses(400).Takes()
            .RequireScope(Scope.Admin);
    }

    private static async Task OverviewAsync(HttpContext http, IOperatorApi api, CancellationToken ct)
    {
        var window = UsualWindow;
        if (new OperatorQuery(http.Request).Text("window") is { } text && (!WhereValues.TryDuration(text, out window) || window < TimeSpan.FromSeconds(1) || window > LongestWindow))
            throw OperatorException.BadParameter("window", "expected a length of time from 1s to 30d, such as 1h");
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.GetOverviewAsync(window, ct), OperatorJson.Default.Overview);
    }

    private static async Task FailuresAsync(HttpContext http, IOperatorApi api, CancellationToken ct)
    {
        var query = new OperatorQuery(http.Request);
        var chosen = new FailureQuery { Since = query.Text("since"), Workflows = query.List("workflow"), Scan = query.Number("scan", Limits.LargestCount, 1, Limits.LargestCount) };
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.ListFailuresAsync(chosen, ct), OperatorJson.Default.FailureGroups);
    }

    private static async Task HistogramAsync(HttpContext http, IOperatorApi api, CancellationToken ct)
    {
        var query = new OperatorQuery(http.Request);
        var buckets = query.Number("buckets", UsualBuckets, 1, Limits.LargestPage);
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.GetHistogramAsync(RunListRoutes.ChoiceOf(query), buckets, ct), OperatorJson.Default.RunHistogram);
    }

    private static async Task SearchAsync(HttpContext http, IOperatorApi api, CancellationToken ct)
    {
        var query = new OperatorQuery(http.Request);
        if (query.Text("q") is not { Length: > 0 and <= 200 } text) throw OperatorException.BadParameter("q", "expected a text of 1 to 200 characters");
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.SearchAsync(text, query.Number("limit", UsualHits, 1, MostHits), ct), OperatorJson.Default.SearchHits);
    }

    private static async Task SystemAsync(HttpContext http, IOperatorApi api, CancellationToken ct) =>
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.GetSystemAsync(ct), OperatorJson.Default.SystemInfo);
}
