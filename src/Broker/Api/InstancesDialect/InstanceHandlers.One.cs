using System.Globalization;
using System.Text.Json;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Engine;
using Broker.Storage;

namespace Broker.Api.InstancesDialect;

/// <summary>Reading one instance.</summary>
internal static partial class InstanceHandlers
{
    public static async Task Details(HttpContext http, BrokerEngine engine, string workflowName, string instanceId)
    {
        var call = new InstanceCall(http, engine, InstancePaths.Instance);
        if (!await call.MayAsync() || await call.FindWorkflowAsync(InstancePaths.Decode(workflowName)) is not { } workflow) return;
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
            InstanceAnswers.WriteDetails(json, "details", answer.run, answer.ShowsActive);
            InstanceAnswers.WriteMeta(json, answer.run);
            json.WriteEndObject();
        });
    }

    public static async Task History(
        HttpContext http, BrokerEngine engine, string workflowName, string instanceId, string? runNumber, string? pageSize, string? stepsCursor,
        string? eventsCursor, string? logsCursor, string? includeLogs, string? logLevel, string? logCategory, string? order)
    {
        var call = new InstanceCall(http, engine, InstancePaths.History);
        if (!await call.MayAsync() || await call.FindWorkflowAsync(InstancePaths.Decode(workflowName)) is not { } workflow) return;
        if (!await call.IsInstanceIdAsync(instanceId)) return;

        var issues = new IssueList();
        var query = HistoryQuery.Read(runNumber, pageSize, stepsCursor, eventsCursor, logsCursor, includeLogs, logLevel, logCategory, order, issues);
        if (!await call.IsValidAsync(issues)) return;
        if (await HistoryPages.ReadAsync(engine, workflow.Name, instanceId, query, call.Aborted) is not { } pages)
        {
            await call.RefuseAsync(InstanceError.UnknownInstance);
            return;
        }

        await call.AnswerAsync(pages, static (json, answer) => answer.Write(json));
    }
}

/// <summary>What a history request asks for (instances contract 6).</summary>
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
        if (logCategory is not null && !Identifiers.IsStorable(logCategory)) issues.Add("invalid_format", "expected text without NUL", "logCategory");

        var first = new PageCursor(CursorKind.Steps, order != "asc", PageSizes.Of(pageSize), Ticks: -1, Row: -1);
        return new(
            number, includeLogs == "true", logLevel, logCategory,
            PageCursor.Decode(stepsCursor, CursorKind.Steps) ?? first,
            PageCursor.Decode(eventsCursor, CursorKind.Events) ?? first with { Kind = CursorKind.Events },
            PageCursor.Decode(logsCursor, CursorKind.Logs) ?? first with { Kind = CursorKind.Logs });
    }
}

/// <summary>One page of each of the three lists of a run, each at its own place.</summary>
internal sealed class HistoryPages
{
    private readonly HistoryQuery query;
    private readonly RunView? run;
    private Page<StepState> steps = new([], false);
    private Page<InboundEvent> events = new([], false);
    private Page<LogRow> logs = new([], false);

    private HistoryPages(HistoryQuery query, RunView? run)
    {
        this.query = query;
        this.run = run;
    }

    /// <summary>Null when there is no such instance. A run that it never had is empty.</summary>
    public static async Task<HistoryPages?> ReadAsync(BrokerEngine engine, string workflow, string instanceId, HistoryQuery query, CancellationToken ct)
    {
        var run = query.RunNumber is > int.MaxValue ? null : await engine.FindRunAsync(workflow, instanceId, ct, (int?)query.RunNumber);
        if (run is null && (query.RunNumber is null || await engine.FindRunAsync(workflow, instanceId, ct) is null)) return null;

        var pages = new HistoryPages(query, run);
        if (run is not null) await pages.FillAsync(engine.History, run.Ref.Id, ct);
        return pages;
    }

    private async Task FillAsync(IHistory history, long runId, CancellationToken ct)
    {
        (DateTimeOffset, int)? afterStep = query.Steps.Ticks < 0 ? null : (query.Steps.At, (int)Math.Min(query.Steps.Row, int.MaxValue));
        steps = await history.StepsAsync(runId, afterStep, query.Steps.Descending, query.Steps.PageSize, ct);
        events = await history.InboundAsync(runId, After(query.Events), query.Events.Descending, query.Events.PageSize, ct);
        if (query.IncludeLogs)
            logs = await history.LogsAsync(runId, query.LogLevel, query.LogCategory, After(query.Logs), query.Logs.Descending, query.Logs.PageSize, ct);
    }

    private static long? After(PageCursor cursor) => cursor.Row < 0 ? null : cursor.Row;

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteNumber("runNumber", run?.Ref.Number ?? query.RunNumber ?? 0);
        json.WriteStartArray("steps");
        foreach (var step in steps.Rows) InstanceAnswers.WriteStep(json, run!.Ref, run.Definition, step);
        json.WriteEndArray();
        json.WriteStartArray("events");
        foreach (var row in events.Rows) InstanceAnswers.WriteEvent(json, run!.Ref, run.Definition, row);
        json.WriteEndArray();
        json.WriteStartArray("emissions");
        json.WriteEndArray();
        if (query.IncludeLogs)
        {
            json.WriteStartArray("logs");
            foreach (var row in logs.Rows) InstanceAnswers.WriteLog(json, run!.Ref, row);
            json.WriteEndArray();
        }

        if (steps is { HasMore: true, Rows: [.., var lastStep] })
            WriteCursor(json, "stepsCursor", query.Steps with { Ticks = lastStep.BegunAt!.Value.UtcTicks, Row = lastStep.Index });
        json.WriteBoolean("stepsHasNextPage", steps.HasMore);
        if (events is { HasMore: true, Rows: [.., var lastEvent] }) WriteCursor(json, "eventsCursor", query.Events with { Ticks = 0, Row = lastEvent.Id });
        json.WriteBoolean("eventsHasNextPage", events.HasMore);
        if (query.IncludeLogs)
        {
            if (logs is { HasMore: true, Rows: [.., var lastLog] }) WriteCursor(json, "logsCursor", query.Logs with { Ticks = 0, Row = lastLog.Id });
            json.WriteBoolean("logsHasNextPage", logs.HasMore);
        }

        json.WriteEndObject();
    }

    private static void WriteCursor(Utf8JsonWriter json, string name, PageCursor cursor) => json.WriteString(name, cursor.Encode());
}
