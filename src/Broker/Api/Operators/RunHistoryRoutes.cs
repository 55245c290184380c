using System.Text;
using System.Text.Json;
using Broker.Core.Json;
using Broker.Http;
using Broker.OpenApi;
using Broker.Operators;

namespace Broker.Api.Operators;

/// <summary>Events and logs of one run.</summary>
internal static class RunHistoryRoutes
{
    public const string PlainText = "text/plain";

    /// <summary>Parameters that choose lines.</summary>
    public static IReadOnlyList<QueryParameter> Lines { get; } =
    [
        PageParameters.Run,
        QueryParameter.Text("step", "Only lines of this step."),
        new("attempt", "Only lines of the attempt with so many retries before it."),
        QueryParameter.Text("stream", "Only this stream.", "stdout", "stderr"),
        QueryParameter.Text("level", "Only lines of this level.", "debug", "info", "warn", "error"),
        QueryParameter.Id("after", "Lines behind this id."),
        new("limit", "Most lines; default 200.", Limits.LargestLogPage) { Least = 1 },
    ];

    public static async Task EventsAsync(HttpContext http, IOperatorApi api, string workflow, string instance, CancellationToken ct)
    {
        var query = new OperatorQuery(http.Request);
        var chosen = query.Page(new EventQuery
        {
            Direction = query.Word("direction", "in", "in", "out"),
            Type = query.Text("type"),
            WithInternal = query.Flag("internal"),
        });
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.ListEventsAsync(RunRoutes.AddressOf(http, workflow, instance), chosen, ct), OperatorJson.Default.ListingRunEvent);
    }

    public static async Task LogsAsync(HttpContext http, IOperatorApi api, string workflow, string instance, CancellationToken ct)
    {
        var query = new OperatorQuery(http.Request);
        var chosen = ChoiceOf(query) with { Before = query.Id("before"), FromEnd = query.Flag("tail") };
        if (chosen is { After: not null, Before: not null } or { After: not null, FromEnd: true }) throw OperatorException.BadParameter("after", "expected without before and tail");
        var run = RunRoutes.AddressOf(http, workflow, instance);
        if (query.Word("format", "json", "json", "text") == "text") await SendTextAsync(http, api, run, chosen, ct);
        else await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.ListLogsAsync(run, chosen, ct), OperatorJson.Default.LogListing);
    }

    public static async Task FindAsync(HttpContext http, IOperatorApi api, string workflow, string instance, CancellationToken ct)
    {
        var query = new OperatorQuery(http.Request);
        if (query.Text("q") is not { Length: > 0 } text) throw OperatorException.BadParameter("q", "expected a text to find");
        var found = await api.FindInLogsAsync(RunRoutes.AddressOf(http, workflow, instance), ChoiceOf(query), text, query.Flag("case"), ct);
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, found, OperatorJson.Default.LogListing);
    }

    public static LogQuery ChoiceOf(OperatorQuery query) => new()
    {
        Step = query.Text("step"),
        Attempt = query.OptionalNumber("attempt", int.MaxValue),
        Stream = query.Text("stream") is null ? null : query.Word("stream", "", "stdout", "stderr"),
        Level = query.Text("level"),
        After = query.Id("after"),
        Limit = query.Number("limit", 200, 1, Limits.LargestLogPage),
    };

    // Every line of the choice, page by page: a slow client holds one page.
    private static async Task SendTextAsync(HttpContext http, IOperatorApi api, RunAddress run, LogQuery query, CancellationToken ct)
    {
        if (query is { Before: not null } or { FromEnd: true }) throw OperatorException.BadParameter("format", "text is the whole log, in order: expected without before and tail");
        query = query with { Limit = Limits.LargestLogPage };
        var page = await api.ListLogsAsync(run, query, ct);
        http.Response.ContentType = $"{PlainText}; charset=utf-8";
        while (true)
        {
            foreach (var line in page.Items)
            {
                var text = JsonText.StringOf(JsonElement.Parse(line.Text.Text));
                await http.Response.WriteAsync(text.EndsWith('\n') ? text : $"{text}\n", Encoding.UTF8, ct);
            }

            if (page.Next is not { } next) return;
            page = await api.ListLogsAsync(run, query with { After = next }, ct);
        }
    }
}
