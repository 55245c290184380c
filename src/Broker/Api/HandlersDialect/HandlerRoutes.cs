using Broker.Core.Runs;
using Broker.Engine;
using Microsoft.AspNetCore.Mvc;

namespace Broker.Api.HandlersDialect;

/// <summary>Looking at handlers and ending them (handlers contract 9, 11).</summary>
internal static class HandlerRoutes
{
    /// <summary>All handlers, oldest first; values of one key are alternatives, blank ones count for nothing.</summary>
    public static async Task ListAsync(
        HttpContext http, HandlersMount mount, BrokerEngine engine, string[] status, [FromQuery(Name = "workflow_name")] string[] workflowName)
    {
        var statuses = status.Where(word => word.Length > 0).ToHashSet(StringComparer.Ordinal);
        var names = workflowName.Where(name => name.Length > 0).Distinct(StringComparer.Ordinal).ToList();
        var runs = await engine.History.ListAsync(names.Count == 0 ? null : names.FindAll(HandlerIds.IsStorable), http.RequestAborted);

        // Only clients that expect envelopes send these keys, the newest one always and blank when unset.
        var query = http.Request.Query;
        var form = mount.ResultsInEnvelope || query.ContainsKey("status") || query.ContainsKey("workflow_name") ? ResultForm.Envelope : ResultForm.Raw;
        var shown = runs.Where(run => statuses.Count == 0 || statuses.Contains(HandlerStatuses.Of(run.Status)));
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, (Runs: shown, Form: form), static (json, answer) =>
        {
            json.WriteStartObject();
            json.WriteStartArray("handlers");
            foreach (var run in answer.Runs) HandlerObject.Write(json, run, answer.Form);
            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    public static async Task GetAsync(HttpContext http, HandlersMount mount, BrokerEngine engine, [FromRoute(Name = "handler_id")] string handlerId)
    {
        if (await FindAsync(engine, handlerId, http.RequestAborted) is not { } run) await HandlersAnswer.NotFoundAsync(http, mount, HandlersAnswer.HandlerNotFound);
        else await HandlerObject.SendAsync(http.Response, StatusOf(run.Status), run, ResultForm.Envelope);
    }

    public static async Task ResultAsync(HttpContext http, HandlersMount mount, BrokerEngine engine, [FromRoute(Name = "handler_id")] string handlerId)
    {
        var run = await FindAsync(engine, handlerId, http.RequestAborted);
        await (run switch
        {
            null => HandlersAnswer.NotFoundAsync(http, mount, HandlersAnswer.HandlerNotFound),
            { Status: RunStatus.Failed or RunStatus.Cancelled } => UnsuccessfulAsync(http, mount, run, "Error getting workflow result", ResultForm.Raw),
            _ => HandlerObject.SendAsync(http.Response, StatusOf(run.Status), run, ResultForm.Raw),
        });
    }

    /// <summary>Ends a running handler, or with <c>purge</c> deletes one in any state. A handler that has ended cannot be cancelled: 404.</summary>
    public static async Task CancelAsync(
        HttpContext http, HandlersMount mount, BrokerEngine engine, [FromRoute(Name = "handler_id")] string handlerId, string? purge)
    {
        var command = QueryText.IsTrue(purge, whenAbsent: false) ? ControlCommand.Purge : ControlCommand.Cancel;
        var verdict = await FindAsync(engine, handlerId, http.RequestAborted) is { Ref: var run }
            ? (await engine.ControlAsync(run.Workflow, run.InstanceId, command, http.RequestAborted)).Verdict
            : ControlVerdict.UnknownRun;
        await (verdict switch
        {
            ControlVerdict.Done or ControlVerdict.NoChange => HandlersAnswer.StatusAsync(http.Response, command is ControlCommand.Purge ? "deleted" : "cancelled"),
            ControlVerdict.Terminal or ControlVerdict.UnknownRun => HandlersAnswer.NotFoundAsync(http, mount, HandlersAnswer.HandlerNotFound),
        });
    }

    /// <summary>The current run of a handler, or null; an id that no database can hold names none.</summary>
    public static async Task<RunView?> FindAsync(BrokerEngine engine, string handlerId, CancellationToken ct) =>
        HandlerIds.IsStorable(handlerId) ? await engine.FindRunAsync(handlerId, ct) : null;

    /// <summary>500 for a run that failed or was cancelled: the message, or its handler object.</summary>
    public static Task UnsuccessfulAsync(HttpContext http, HandlersMount mount, RunView run, string subject, ResultForm form) => mount.ErrorsAsJson
        ? HandlerObject.SendAsync(http.Response, StatusCodes.Status500InternalServerError, run, form)
        : HandlersAnswer.TextAsync(
            http.Response,
            StatusCodes.Status500InternalServerError,
            $"{subject}: {(run.Status is RunStatus.Cancelled ? HandlersAnswer.Cancelled : run.Error?.Message ?? "failed")}");

    private static int StatusOf(RunStatus status) => status switch
    {
        RunStatus.Queued or RunStatus.Running or RunStatus.Waiting or RunStatus.Pausing or RunStatus.Paused => StatusCodes.Status202Accepted,
        RunStatus.Succeeded => StatusCodes.Status200OK,
        RunStatus.Failed or RunStatus.Cancelled => StatusCodes.Status500InternalServerError,
    };
}
