using System.Globalization;
using Broker.Core.Json;
using Broker.Engine;

namespace Broker.Api.InstancesDialect;

/// <summary>Reading one instance.</summary>
internal static partial class InstancesRoutes
{
    public static async Task Details(HttpContext http, BrokerEngine engine, string workflowName, string instanceId)
    {
        var call = new InstanceCall(http, engine, InstancePaths.Instance);
        if (!await call.MayAsync() || await call.FindWorkflowAsync(workflowName) is not { } workflow) return;
        if (!await call.IsInstanceIdAsync(instanceId)) return;
        if (await engine.FindRunAsync(workflow.Name, instanceId, call.Aborted) is not { } run)
        {
            await call.RefuseAsync(InstanceError.UnknownInstance);
            return;
        }

        await call.AnswerAsync((run, call.ShowsActive), static (json, answer) =>
        {
            json.WriteStartObject();
            json.WriteString("id", answer.run.Ref.InstanceId);
            InstancesAnswers.WriteDetails(json, "details", answer.run, answer.ShowsActive);
            InstancesAnswers.WriteMeta(json, answer.run);
            json.WriteEndObject();
        });
    }

    public static async Task History(
        HttpContext http, BrokerEngine engine, string workflowName, string instanceId, string? runNumber, string? pageSize, string? stepsCursor,
        string? eventsCursor, string? logsCursor, string? includeLogs, string? logLevel, string? logCategory, string? order)
    {
        var call = new InstanceCall(http, engine, InstancePaths.History);
        if (!await call.MayAsync() || await call.FindWorkflowAsync(workflowName) is not { } workflow) return;
        if (!await call.IsInstanceIdAsync(instanceId)) return;

        var issues = new IssueList();
        var query = HistoryQuery.Read(runNumber, pageSize, stepsCursor, eventsCursor, logsCursor, includeLogs, logLevel, logCategory, order, issues);
        if (!await call.IsValidAsync(issues)) return;
        if (await HistoryAnswer.FindAsync(engine, workflow.Name, instanceId, query, call.Aborted) is not { } history)
        {
            await call.RefuseAsync(InstanceError.UnknownInstance);
            return;
        }

        await history.SendAsync(http.Response, call.Aborted);
    }
}

/// <summary>Request for a history (instances contract 6).</summary>
internal sealed record HistoryQuery(long? RunNumber, bool IncludeLogs, string? LogLevel, string? LogCategory, PageCursor Steps, PageCursor Events, PageCursor Logs)
{
    public static HistoryQuery Read(
        string? runNumber, string? pageSize, string? stepsCursor, string? eventsCursor, string? logsCursor, string? includeLogs, string? logLevel,
        string? logCategory, string? order, IssueList issues)
    {
        long? number = null;
        if (runNumber is not null)
        {
            if (long.TryParse(runNumber, NumberStyles.None, CultureInfo.InvariantCulture, out var given)) number = given;
            else issues.Add("invalid_type", "expected a whole number from 0", "runNumber");
        }

        if (includeLogs is not (null or "true" or "false")) issues.Add("invalid_value", "expected true or false", "includeLogs");
        if (logLevel is not (null or "debug" or "info" or "warn" or "error")) issues.Add("invalid_value", "expected debug, info, warn or error", "logLevel");
        if (order is not (null or "asc" or "desc")) issues.Add("invalid_value", "expected asc or desc", "order");
        if (logCategory is not null && !StorableText.Fits(logCategory)) issues.Add("invalid_format", "expected text without NUL", "logCategory");

        var first = new PageCursor(CursorKind.Steps, order != "asc", PageSizes.Of(pageSize), Ticks: -1, Row: -1);
        return new(
            number, includeLogs == "true", logLevel, logCategory,
            PageCursor.Decode(stepsCursor, CursorKind.Steps) ?? first,
            PageCursor.Decode(eventsCursor, CursorKind.Events) ?? first with { Kind = CursorKind.Events },
            PageCursor.Decode(logsCursor, CursorKind.Logs) ?? first with { Kind = CursorKind.Logs });
    }
}
