using System.Globalization;
using Broker.Operators;
using Broker.Operators.Graphs;
using Broker.Operators.Where;
using Broker.Ui.Parts;
using Broker.Ui.Routing;
using Microsoft.AspNetCore.Http;

namespace Broker.Ui.Pages;

/// <summary>Workflows, and a form that starts a run.</summary>
internal static class WorkflowPages
{
    public static readonly string[] Tabs = ["graph", "steps", "start", "runs", "versions", "document"];

    public static async Task<IResult> ListAsync(HttpContext http, IOperatorApi api, CancellationToken ct)
    {
        var query = new PageQuery(http.Request);
        var page = await PageResult.ContextAsync(http, api, ct);
        var list = await api.ListWorkflowsAsync(query.Text("q"), query.Text("cursor"), Limits.UsualPage, ct);
        return PageResult.Show<WorkflowListPage>(new() { [nameof(WorkflowListPage.Page)] = page, [nameof(WorkflowListPage.Workflows)] = list, [nameof(WorkflowListPage.Search)] = query.Text("q") });
    }

    public static async Task<IResult> ShowAsync(HttpContext http, IOperatorApi api, CancellationToken ct) => await ShowAsync(http, api, null, null, StatusCodes.Status200OK, ct);

    public static async Task<IResult> StartAsync(HttpContext http, IOperatorApi api, CancellationToken ct)
    {
        var workflow = new PageQuery(http.Request).Segment("workflow");
        var form = await PageForm.ReadAsync(http);
        RawJson? inputs = null;
        try
        {
            inputs = FormJson.Value(form);
            var start = new NewRun
            {
                Instance = Given(form, "instance"),
                Inputs = inputs,
                Version = Given(form, "version"),
                Priority = int.TryParse(form["priority"], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var priority) ? priority : null,
                DryRun = form.ContainsKey("check") ? true : null,
            };
            var started = await api.StartAsync(workflow, start, start.DryRun is true ? null : Given(form, "once"), ct);
            if (!started.DryRun) return PageResult.SeeOther(http, new Links(http.Request.PathBase).Run(workflow, started.Instance!));
            return await ShowAsync(http, api, new("The run could start.", null, inputs), "start", StatusCodes.Status200OK, ct);
        }
        catch (OperatorException refused) when (refused.Status is not StatusCodes.Status404NotFound)
        {
            return await ShowAsync(http, api, new(null, refused, inputs), "start", refused.Status, ct);
        }
    }

    private static string? Given(IFormCollection form, string name) => form[name].ToString() is { Length: > 0 } text ? text : null;

    private static async Task<IResult> ShowAsync(HttpContext http, IOperatorApi api, StartOutcome? outcome, string? shown, int status, CancellationToken ct)
    {
        var query = new PageQuery(http.Request);
        var page = await PageResult.ContextAsync(http, api, ct);
        var name = query.Segment("workflow");
        var workflow = await api.GetWorkflowAsync(name, query.Text("version"), ct);
        var tab = shown ?? query.Word("tab", Tabs);
        if (tab == "start" && outcome is null && query.Text("like") is { } instance)
            outcome = new(null, null, (await api.GetRunAsync(new(name, instance), ct)).Inputs);
        var facts = new WorkflowFacts(workflow, tab)
        {
            Outcome = outcome,
            Graph = tab == "graph" && workflow.Steps.Count <= RunPages.MostSteps ? await api.GetGraphAsync(workflow.Fingerprint, RunPages.Fold, ct) : null,
            Runs = tab == "runs" ? await api.ListRunsAsync(new(WhereExpression.All.And("workflow", WhereOperator.Equal, new WhereValue(name, IsQuoted: true))) { Cursor = query.Text("cursor") }, ct) : null,
            Versions = tab == "versions" ? (await api.ListVersionsAsync(name, ct)).Items : [],
        };
        return PageResult.Show<WorkflowPage>(new() { [nameof(WorkflowPage.Page)] = page, [nameof(WorkflowPage.Facts)] = facts }, status);
    }
}

/// <summary>Content of the page of a workflow.</summary>
public sealed record WorkflowFacts(WorkflowDetail Workflow, string Tab)
{
    public GraphGeometry? Graph { get; init; }
    public StartOutcome? Outcome { get; init; }
    public Listing<RunSummary>? Runs { get; init; }
    public IReadOnlyList<WorkflowVersion> Versions { get; init; } = [];
}

/// <summary>Outcome of a form that starts a run.</summary>
/// <param name="Words">A check that went well.</param>
/// <param name="Refused">The refusal.</param>
/// <param name="Inputs">Values that go back into the fields.</param>
public sealed record StartOutcome(string? Words, OperatorException? Refused, RawJson? Inputs);
