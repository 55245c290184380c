using Broker.Operators;
using Broker.Operators.Graphs;
using Broker.Ui.Parts;
using Broker.Ui.Routing;
using Microsoft.AspNetCore.Http;

namespace Broker.Ui.Pages;

/// <summary>One run: its steps, and why it stands.</summary>
internal static class RunPages
{
    public static readonly string[] Tabs = ["steps", "graph", "timeline", "events", "logs", "data"];

    /// <summary>More steps with the same neighbours than that are drawn as a stack.</summary>
    public const int Fold = 8;

    public const int MostSteps = 2000;
    private const int LogPage = 500;

    public static async Task<IResult> ShowAsync(HttpContext http, IOperatorApi api, CancellationToken ct)
    {
        var query = new PageQuery(http.Request);
        var page = await PageResult.ContextAsync(http, api, ct);
        var address = query.Run;
        var run = await api.GetRunAsync(address, ct);
        address = address with { Run = run.Run };
        var tab = query.Word("tab", Tabs);
        var facts = new RunFacts(run, tab, address)
        {
            Graph = tab == "graph" && run.Steps.Total <= MostSteps ? await api.GetGraphAsync(run.Definition.Fingerprint, Fold, ct) : null,
            Steps = tab is "steps" or "timeline" || (tab == "graph" && run.Steps.Total <= MostSteps) ? await StepsAsync(api, address, ct) : [],
            Explanation = run.EndedAt is null && tab == "steps" ? await api.ExplainRunAsync(address, ct) : null,
            Received = tab == "events" ? await api.ListEventsAsync(address, new() { Limit = Limits.LargestPage }, ct) : null,
            Published = tab == "events" ? await api.ListEventsAsync(address, new() { Direction = "out", Limit = Limits.LargestPage, Cursor = query.Text("cursor") }, ct) : null,
            Log = tab == "logs" ? await LogAsync(api, address, query, ct) : null,
            LogStep = query.Text("step"),
            Find = query.Text("find"),
        };
        if (query.Text("step") is { } step && tab is "steps" or "graph" or "timeline") facts = facts with { Opened = await OpenedAsync(api, address, step, ct) };
        if (query.Text("stack") is { } first && facts.Graph?.Stacks.FirstOrDefault(stack => facts.Graph.Label[stack[0]] == first) is { } stacked)
            facts = facts with { Stack = [.. stacked.Where(index => index < facts.Steps.Count).Select(index => facts.Steps[index])] };
        return PageResult.Show<RunPage>(new() { [nameof(RunPage.Page)] = page, [nameof(RunPage.Facts)] = facts, [nameof(RunPage.Before)] = query.Long("before") });
    }

    public static async Task<IResult> SendEventAsync(HttpContext http, IOperatorApi api, CancellationToken ct)
    {
        var query = new PageQuery(http.Request);
        var form = await PageForm.ReadAsync(http);
        var sent = new NewEvent
        {
            Type = form["type"],
            Value = FormJson.Value(form, form["schema"]),
            Step = form["step"].ToString() is { Length: > 0 } step ? step : null,
            EventId = form["event_id"].ToString() is { Length: > 0 } id ? id : null,
        };
        await api.SendEventAsync(query.Segment("workflow"), query.Segment("instance"), sent, ct);
        var links = new Links(http.Request.PathBase);
        return PageResult.SeeOther(http, form["back"] == "waiting" ? links.To("waiting") : links.Run(query.Segment("workflow"), query.Segment("instance"), tab: "events"));
    }

    private static async Task<IReadOnlyList<StepSummary>> StepsAsync(IOperatorApi api, RunAddress run, CancellationToken ct)
    {
        var steps = new List<StepSummary>();
        string? cursor = null;
        do
        {
            var some = await api.ListStepsAsync(run, new() { Limit = Limits.LargestPage, Cursor = cursor }, ct);
            steps.AddRange(some.Items);
            cursor = some.Next;
        }
        while (cursor is not null && steps.Count < MostSteps);
        return steps;
    }

    private static async Task<OpenedStep?> OpenedAsync(IOperatorApi api, RunAddress run, string step, CancellationToken ct)
    {
        try
        {
            return new(await api.GetStepAsync(run, step, ct), (await api.ListAttemptsAsync(run, step, ct)).Items);
        }
        catch (OperatorException refused) when (refused.Status == StatusCodes.Status404NotFound)
        {
            // A link to a step of another version: the run opens all the same.
            return null;
        }
    }

    private static Task<LogListing> LogAsync(IOperatorApi api, RunAddress run, PageQuery query, CancellationToken ct)
    {
        var lines = new LogQuery { Step = query.Text("step"), Attempt = query.Number("attempt"), Stream = query.Text("stream"), Before = query.Long("before"), FromEnd = true, Limit = LogPage };
        return query.Text("find") is { } text
            ? api.FindInLogsAsync(run, lines with { FromEnd = false, Before = null, After = query.Long("after") }, text, matchCase: false, ct)
            : api.ListLogsAsync(run, lines, ct);
    }
}

/// <summary>Content of the page of a run.</summary>
public sealed record RunFacts(RunDetail Run, string Tab, RunAddress Address)
{
    /// <summary>Steps in order of the definition; empty where the tab does not show them.</summary>
    public IReadOnlyList<StepSummary> Steps { get; init; } = [];

    /// <summary>The graph; null where it is not shown, or so large that the script reads it.</summary>
    public GraphGeometry? Graph { get; init; }

    /// <summary>Steps of the stack that is open.</summary>
    public IReadOnlyList<StepSummary>? Stack { get; init; }

    public OpenedStep? Opened { get; init; }
    public RunExplanation? Explanation { get; init; }
    public Listing<RunEvent>? Received { get; init; }
    public Listing<RunEvent>? Published { get; init; }
    public LogListing? Log { get; init; }

    /// <summary>Only lines of this step.</summary>
    public string? LogStep { get; init; }

    /// <summary>Only lines with this text.</summary>
    public string? Find { get; init; }
}

/// <summary>The step in the drawer.</summary>
public sealed record OpenedStep(StepDetail Step, IReadOnlyList<StepAttempt> Attempts);
