using Broker.Http;
using Broker.OpenApi;
using Broker.Operators;

namespace Broker.Api.Operators;

/// <summary>One run: its values, its steps, why it stands still.</summary>
internal static class RunRoutes
{
    public static readonly QueryParameter Statuses = QueryParameter.Text("status", $"Any of {string.Join(", ", RunWords.StepStatuses)}, separated by commas.");

    public static readonly QueryParameter ItemStatuses = QueryParameter.Text("status", $"Any of {string.Join(", ", RunWords.ItemStatuses)}, separated by commas.");

    public static readonly QueryParameter Wait = new("wait", "Seconds to wait for the end of the run; default 0. A run that goes on is answered as it stands.", Limits.LongestWaitSecs);

    public static async Task GetAsync(HttpContext http, IOperatorApi api, string workflow, string instance, CancellationToken ct)
    {
        var wait = new OperatorQuery(http.Request).Number("wait", 0, 0, Limits.LongestWaitSecs);
        var run = AddressOf(http, workflow, instance);
        var detail = wait == 0 ? await api.GetRunAsync(run, ct) : await api.WaitForRunAsync(run, TimeSpan.FromSeconds(wait), ct);
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, detail, OperatorJson.Default.RunDetail);
    }

    public static async Task StepsAsync(HttpContext http, IOperatorApi api, string workflow, string instance, CancellationToken ct)
    {
        var query = new OperatorQuery(http.Request);
        var chosen = query.Page(new StepQuery { Statuses = query.Words("status", RunWords.StepStatuses) });
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.ListStepsAsync(AddressOf(http, workflow, instance), chosen, ct), OperatorJson.Default.ListingStepSummary);
    }

    public static async Task StatesAsync(HttpContext http, IOperatorApi api, string workflow, string instance, CancellationToken ct) =>
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.GetStepStatesAsync(AddressOf(http, workflow, instance), ct), OperatorJson.Default.StepStates);

    public static async Task StepAsync(HttpContext http, IOperatorApi api, string workflow, string instance, string step, CancellationToken ct) =>
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.GetStepAsync(AddressOf(http, workflow, instance), step, ct), OperatorJson.Default.StepDetail);

    public static async Task AttemptsAsync(HttpContext http, IOperatorApi api, string workflow, string instance, string step, CancellationToken ct) =>
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.ListAttemptsAsync(AddressOf(http, workflow, instance), step, ct), OperatorJson.Default.ListingStepAttempt);

    public static async Task ItemsAsync(HttpContext http, IOperatorApi api, string workflow, string instance, string step, CancellationToken ct)
    {
        var query = new OperatorQuery(http.Request);
        var chosen = new StepQuery { Statuses = query.Words("status", RunWords.ItemStatuses), Cursor = query.Cursor, Limit = query.Limit() };
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.ListItemsAsync(AddressOf(http, workflow, instance), step, chosen, ct), OperatorJson.Default.ListingStepItem);
    }

    public static async Task ExplainAsync(HttpContext http, IOperatorApi api, string workflow, string instance, CancellationToken ct) =>
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.ExplainRunAsync(AddressOf(http, workflow, instance), ct), OperatorJson.Default.RunExplanation);

    /// <summary>The run that path and query name.</summary>
    public static RunAddress AddressOf(HttpContext http, string workflow, string instance) =>
        new(workflow, instance, new OperatorQuery(http.Request).OptionalNumber("run", int.MaxValue));
}
