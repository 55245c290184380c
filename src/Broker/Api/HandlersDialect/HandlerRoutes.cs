using Broker.Auth;
using Broker.Core.Json;
using Broker.Core.Runs;
using Broker.Engine;
using Broker.Http;
using Broker.Storage.Contracts;
using Microsoft.AspNetCore.Mvc;

namespace Broker.Api.HandlersDialect;

/// <summary>Looking at handlers and ending them (handlers contract 9, 11).</summary>
internal static class HandlerRoutes
{
    /// <summary>
    /// All handlers, oldest first, or with a limit or a cursor one page of them; values of one key are alternatives, blank ones count for nothing.
    /// </summary>
    public static async Task ListAsync(
        HttpContext http, HandlersMount mount, BrokerEngine engine, [FromQuery] string[] status, [FromQuery(Name = "workflow_name")] string[] workflowName, string? limit,
        string? cursor)
    {
        var (paging, problem) = HandlerPaging.Read(limit, cursor);
        if (problem is not null)
        {
            await HandlersErrors.InvalidAsync(http, mount, problem);
            return;
        }

        var statuses = status.Where(word => word.Length > 0).ToHashSet(StringComparer.Ordinal);
        var names = workflowName.Where(name => name.Length > 0).Distinct(StringComparer.Ordinal).ToList();
        var runs = await engine.History.WalkAsync(names.Count == 0 ? null : names.FindAll(StorableText.Fits), paging.After, http.RequestAborted);

        // Only clients that expect envelopes send these keys, the newest one always and blank when unset.
        var query = http.Request.Query;
        var form = mount.ResultsInEnvelope || query.ContainsKey("status") || query.ContainsKey("workflow_name") ? ResultForm.Envelope : ResultForm.Raw;
        await using var answer = new JsonStream(http.Response);
        answer.Json.WriteStartObject();
        answer.Json.WriteStartArray("handlers");
        var next = await WriteAsync(
            answer, runs, run => statuses.Count == 0 || statuses.Contains(HandlersStatuses.Of(run.Status)), paging.Limit, form, http.RequestAborted);
        answer.Json.WriteEndArray();
        if (paging.IsAsked) answer.Json.WriteString("cursor", next);
        answer.Json.WriteEndObject();
        await answer.EndAsync(http.RequestAborted);
    }

    /// <summary>Writes runs until the limit; returns the cursor of the page that follows, null at the end.</summary>
    private static async Task<string?> WriteAsync(JsonStream answer, IRunWalk runs, Func<RunView, bool> isShown, int limit, ResultForm form, CancellationToken ct)
    {
        var weight = new PageWeight();
        RunView? last = null;
        var left = limit;
        while (await runs.NextAsync(weight.Rows, ct) is { Count: > 0 } page)
        {
            foreach (var run in page.Where(isShown))
            {
                if (left-- == 0) return HandlerPaging.CursorAfter(last!);
                HandlersAnswers.Write(answer.Json, run, form);
                await answer.RowAsync(ct);
                last = run;
            }

            weight.Saw(page.Count, page.Sum(run => (long)(run.ResultJson?.Length ?? 0)));
        }

        return null;
    }

    public static async Task GetAsync(HttpContext http, HandlersMount mount, BrokerEngine engine, [FromRoute(Name = "handler_id")] string handlerId)
    {
        if (await FindAsync(engine, handlerId, http.RequestAborted) is not { } run) await HandlersErrors.NotFoundAsync(http, mount, HandlersErrors.HandlerNotFound);
        else await HandlersAnswers.SendAsync(http.Response, StatusOf(run.Status), run, ResultForm.Envelope);
    }

    public static async Task ResultAsync(HttpContext http, HandlersMount mount, BrokerEngine engine, [FromRoute(Name = "handler_id")] string handlerId)
    {
        var run = await FindAsync(engine, handlerId, http.RequestAborted);
        await (run switch
        {
            null => HandlersErrors.NotFoundAsync(http, mount, HandlersErrors.HandlerNotFound),
            { Status: RunStatus.Failed or RunStatus.Cancelled } => UnsuccessfulAsync(http, mount, run, "Error getting workflow result", ResultForm.Raw),
            _ => HandlersAnswers.SendAsync(http.Response, StatusOf(run.Status), run, ResultForm.Raw),
        });
    }

    /// <summary>Ends a running handler, or with <c>purge</c> deletes one in any state. A handler that has ended cannot be cancelled: 404.</summary>
    public static async Task CancelAsync(
        HttpContext http, HandlersMount mount, BrokerEngine engine, [FromRoute(Name = "handler_id")] string handlerId, string? purge)
    {
        var command = QueryText.IsTrue(purge, whenAbsent: false) ? ControlCommand.Purge : ControlCommand.Cancel;
        if (command is ControlCommand.Purge && !Caller.Current.May(Scope.Delete))
        {
            await DialectErrorFormat.SendAsync(http, StatusCodes.Status403Forbidden, "this key lacks the scope that purge takes: delete");
            return;
        }

        var verdict = await FindAsync(engine, handlerId, http.RequestAborted) is { Ref: var run }
            ? (await engine.ControlAsync(run.Workflow, run.InstanceId, command, http.RequestAborted)).Verdict
            : ControlVerdict.UnknownRun;
        await (verdict switch
        {
            ControlVerdict.Done or ControlVerdict.NoChange => HandlersErrors.StatusAsync(http.Response, command is ControlCommand.Purge ? "deleted" : "cancelled"),
            ControlVerdict.Terminal or ControlVerdict.UnknownRun => HandlersErrors.NotFoundAsync(http, mount, HandlersErrors.HandlerNotFound),
        });
    }

    /// <summary>The current run of a handler, or null; an id that no database can hold names none.</summary>
    public static async Task<RunView?> FindAsync(BrokerEngine engine, string handlerId, CancellationToken ct) =>
        StorableText.Fits(handlerId) ? await engine.FindRunAsync(handlerId, ct) : null;

    /// <summary>500 for a run that failed or was cancelled: the message, or its handler object.</summary>
    public static Task UnsuccessfulAsync(HttpContext http, HandlersMount mount, RunView run, string subject, ResultForm form) => mount.ErrorsAsJson
        ? HandlersAnswers.SendAsync(http.Response, StatusCodes.Status500InternalServerError, run, form)
        : HandlersErrors.TextAsync(
            http.Response,
            StatusCodes.Status500InternalServerError,
            $"{subject}: {(run.Status is RunStatus.Cancelled ? HandlersErrors.Cancelled : run.Error?.Message ?? "failed")}");

    private static int StatusOf(RunStatus status) => status switch
    {
        RunStatus.Queued or RunStatus.Running or RunStatus.Waiting or RunStatus.Pausing or RunStatus.Paused => StatusCodes.Status202Accepted,
        RunStatus.Succeeded => StatusCodes.Status200OK,
        RunStatus.Failed or RunStatus.Cancelled => StatusCodes.Status500InternalServerError,
    };
}
