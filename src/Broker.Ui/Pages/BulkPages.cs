using System.Globalization;
using Broker.Operators;
using Broker.Ui.Routing;
using Microsoft.AspNetCore.Http;

namespace Broker.Ui.Pages;

/// <summary>An action on many runs, as a control offers it.</summary>
/// <param name="Name">Name in the API.</param>
/// <param name="Words">Words of the control.</param>
/// <param name="Scope">Scope that it takes beside manage.</param>
/// <param name="Consequence">The consequence, in a sentence.</param>
public sealed record BulkActionKind(string Name, string Words, string Scope, string Consequence)
{
    /// <summary>Arguments are asked for before the trial.</summary>
    public bool TakesArguments => Name is "tag" or "send_event";
}

/// <summary>Actions on many runs: a trial, a confirmation, progress, results.</summary>
internal static class BulkPages
{
    /// <summary>From so many runs on, their number is typed.</summary>
    private const int TypedFrom = 100;

    public static IReadOnlyList<BulkActionKind> All { get; } =
    [
        new("retry", "Retry", "manage", "Each run that failed or was cancelled gets a further run, which keeps the steps that finished. Effects of the others may repeat."),
        new("cancel", "Cancel", "manage", "Each run that has not ended ends. Workers learn it with their next heartbeat."),
        new("pause", "Pause", "manage", "No further step of these runs is handed out. Steps that run now go on."),
        new("resume", "Resume", "manage", "The steps of the paused runs are handed out again."),
        new("restart", "Restart", "manage", "Each instance gets a further run from its first step. A newest run that has not ended is ended."),
        new("terminate", "Terminate", "manage", "Each run that has not ended ends at once, without its clean-up steps."),
        new("tag", "Tag", "manage", "The tags are set on each run. Other tags stay."),
        new("send_event", "Send event", "event", "Each run that has not ended gets the event."),
        new("delete", "Delete", "delete", "Each instance goes with all its runs, events and logs. Nothing brings it back."),
    ];

    public static BulkActionKind KindOf(string action) => All.FirstOrDefault(kind => kind.Name == action) ?? All[0];

    /// <summary>The text that a person types before the start; null: none.</summary>
    public static string? TypedFor(BulkPlan plan)
    {
        var count = plan.Matched.Count.ToString(CultureInfo.InvariantCulture);
        return plan.Action == "delete" ? $"delete {count}" : plan.Matched.Count > TypedFrom ? count : null;
    }

    public static async Task<IResult> ListAsync(HttpContext http, IOperatorApi api, CancellationToken ct)
    {
        var page = await PageResult.ContextAsync(http, api, ct);
        var list = await api.ListBulkAsync(new PageQuery(http.Request).Text("cursor"), Limits.UsualPage, ct);
        return PageResult.Show<BulkListPage>(new() { [nameof(BulkListPage.Page)] = page, [nameof(BulkListPage.Actions)] = list });
    }

    public static async Task<IResult> NewAsync(HttpContext http, IOperatorApi api, CancellationToken ct)
    {
        var query = new PageQuery(http.Request);
        return await AskAsync(http, api, new(KindOf(query.Text("action") ?? "").Name) { IsAll = true, Where = query.Text("where") ?? "" }, null, StatusCodes.Status200OK, ct);
    }

    public static async Task<IResult> PlanAsync(HttpContext http, IOperatorApi api, CancellationToken ct)
    {
        var choice = BulkChoice.Of(await PageForm.ReadAsync(http));
        return await PlanAsync(http, api, choice, null, StatusCodes.Status200OK, ct);
    }

    public static async Task<IResult> StartAsync(HttpContext http, IOperatorApi api, CancellationToken ct)
    {
        var form = await PageForm.ReadAsync(http);
        var choice = BulkChoice.Of(form);
        if (form["expected"].ToString() is { Length: > 0 } expected && form["typed"].ToString().Trim() != expected)
            return await PlanAsync(http, api, choice, $"Type {expected} to go on.", StatusCodes.Status200OK, ct);
        var start = new BulkStart
        {
            Confirm = form["confirm"].ToString(),
            Count = int.TryParse(form["count"], NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : null,
            Reason = choice.Reason.Length == 0 ? null : choice.Reason,
        };
        try
        {
            var started = await api.StartBulkAsync(IdOf(http), start, ct);
            return PageResult.SeeOther(http, new Links(http.Request.PathBase).Bulk(started.Id));
        }
        catch (OperatorException refused) when (refused.Code is "changed" or "expired" or "wrong_token" or "other_key")
        {
            return await PlanAsync(http, api, choice, refused.Message, refused.Status, ct);
        }
    }

    public static async Task<IResult> ShowAsync(HttpContext http, IOperatorApi api, CancellationToken ct) => await ShowAsync(http, api, null, StatusCodes.Status200OK, ct);

    public static async Task<IResult> StopAsync(HttpContext http, IOperatorApi api, CancellationToken ct)
    {
        var form = await PageForm.ReadAsync(http);
        try
        {
            await api.StopBulkAsync(IdOf(http), new() { Reason = form["reason"].ToString() is { Length: > 0 } reason ? reason : null }, ct);
        }
        catch (OperatorException refused) when (refused.Status == StatusCodes.Status409Conflict)
        {
            return await ShowAsync(http, api, refused.Message, refused.Status, ct);
        }

        return PageResult.SeeOther(http, new Links(http.Request.PathBase).Bulk(IdOf(http)));
    }

    /// <summary>Tries the action again on the runs that it failed for.</summary>
    public static async Task<IResult> AgainAsync(HttpContext http, IOperatorApi api, CancellationToken ct)
    {
        var bulk = await api.GetBulkAsync(IdOf(http), ct);
        var runs = new List<string>();
        string? cursor = null;
        do
        {
            var page = await api.ListBulkResultsAsync(bulk.Id, new() { Outcomes = ["failed"], Cursor = cursor, Limit = Limits.LargestPage }, ct);
            runs.AddRange(page.Items.Select(result => BulkChoice.Name(new(result.Workflow, result.Instance, result.Run))));
            cursor = page.Next;
        }
        while (cursor is not null && runs.Count < Limits.NamedRuns);
        return await PlanAsync(http, api, new(bulk.Action) { Runs = [.. runs.Take(Limits.NamedRuns)] }, null, StatusCodes.Status200OK, ct);
    }

    private static async Task<IResult> ShowAsync(HttpContext http, IOperatorApi api, string? fault, int status, CancellationToken ct)
    {
        var query = new PageQuery(http.Request);
        var page = await PageResult.ContextAsync(http, api, ct);
        var outcome = query.Word("outcome", "", "done", "failed", "skipped", "pending");
        var results = await api.ListBulkResultsAsync(IdOf(http), new() { Outcomes = outcome.Length == 0 ? [] : [outcome], Cursor = query.Text("cursor") }, ct);
        return PageResult.Show<BulkPage>(
            new()
            {
                [nameof(BulkPage.Page)] = page,
                [nameof(BulkPage.Bulk)] = await api.GetBulkAsync(IdOf(http), ct),
                [nameof(BulkPage.Results)] = results,
                [nameof(BulkPage.Outcome)] = outcome,
                [nameof(BulkPage.Fault)] = fault,
            },
            status);
    }

    private static async Task<IResult> PlanAsync(HttpContext http, IOperatorApi api, BulkChoice choice, string? fault, int status, CancellationToken ct)
    {
        if (!choice.IsComplete) return await AskAsync(http, api, choice, fault, status, ct);
        try
        {
            var plan = await api.PlanBulkAsync(choice.Trial(), ct);
            var page = await PageResult.ContextAsync(http, api, ct);
            return PageResult.Show<BulkPlanPage>(
                new() { [nameof(BulkPlanPage.Page)] = page, [nameof(BulkPlanPage.Choice)] = choice, [nameof(BulkPlanPage.Plan)] = plan, [nameof(BulkPlanPage.Fault)] = fault }, status);
        }
        catch (OperatorException refused) when (refused.Status is not StatusCodes.Status404NotFound)
        {
            return await AskAsync(http, api, choice, refused.Message, refused.Status, ct);
        }
    }

    private static async Task<IResult> AskAsync(HttpContext http, IOperatorApi api, BulkChoice choice, string? fault, int status, CancellationToken ct)
    {
        var page = await PageResult.ContextAsync(http, api, ct);
        return PageResult.Show<BulkAskPage>(new() { [nameof(BulkAskPage.Page)] = page, [nameof(BulkAskPage.Choice)] = choice, [nameof(BulkAskPage.Fault)] = fault }, status);
    }

    private static long IdOf(HttpContext http) =>
        long.TryParse(new PageQuery(http.Request).Segment("bulk"), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : throw OperatorException.NotFound("There is no such action on many runs.");
}
