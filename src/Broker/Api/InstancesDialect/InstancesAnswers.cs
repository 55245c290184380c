using System.Globalization;
using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Http;
using Broker.Storage.Contracts;

namespace Broker.Api.InstancesDialect;

/// <summary>Writes the shapes of this dialect: optional members are left out, nullable ones are null (instances contract 2).</summary>
internal static class InstancesAnswers
{
    /// <summary>Status details. <paramref name="run"/> may be one that is only known by its status.</summary>
    public static void WriteDetails(Utf8JsonWriter json, string name, RunView run, bool asActive)
    {
        json.WriteStartObject(name);
        json.WriteString("status", InstancesStatuses.WordOf(run.Status, asActive));
        if (run is { Status: RunStatus.Failed, Error: { } error }) WriteError(json, error);
        if (run is { Status: RunStatus.Succeeded, ResultJson: { } output } && output.AsSpan().Trim() is not "null")
        {
            json.WritePropertyName("output");
            json.WriteRaw(output);
        }

        json.WriteNumber("runGeneration", run.Ref.Number + 1);
        json.WriteEndObject();
    }

    /// <summary>Of a run that is only known by its status.</summary>
    public static StatusDetailsDto StatusOf(RunStatus status, bool asActive) => new() { Status = InstancesStatuses.WordOf(status, asActive) };

    public static void WriteMeta(Utf8JsonWriter json, RunView run)
    {
        json.WriteStartObject("meta");
        json.WriteString("workflowName", run.Ref.Workflow);
        json.WriteNumber("runNumber", run.Ref.Number);
        json.WriteNumber("runGeneration", run.Ref.Number + 1);
        json.WritePropertyName("params");
        json.WriteRaw(run.InputsJson);
        json.WriteBoolean("pauseRequested", run.Status is RunStatus.Pausing);
        WriteDate(json, "createdAt", run.CreatedAt);
        WriteDate(json, "updatedAt", run.UpdatedAt);
        WriteDate(json, "startedAt", run.StartedAt);
        WriteDate(json, "completedAt", run.EndedAt);
        if (InstanceStepViews.Latest(run.Steps) is { } latest)
        {
            json.WriteStartObject("currentStep");
            WriteStepMembers(json, InstanceStepViews.Of(run.Definition.StepOf(latest.Index), latest));
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    public static void WriteStep(Utf8JsonWriter json, RunRef run, WorkflowDefinition definition, StepState step)
    {
        var row = InstanceStepViews.Of(definition.StepOf(step.Index), step) with { Parent = step.Index >= StepDefinition.FirstDynamic ? definition.MapOf(step.Index).Name : null };
        json.WriteStartObject();
        json.WriteString("id", string.Create(CultureInfo.InvariantCulture, $"step_{run.Id:x}_{step.Index}"));
        json.WriteNumber("runNumber", run.Number);
        WriteStepMembers(json, row);
        json.WritePropertyName("result");
        json.WriteRaw(row.ResultJson);
        json.WriteString("parentStepKey", row.Parent);
        json.WriteNumber("depth", row.Parent is null ? 0 : 1);
        WriteDate(json, "createdAt", row.CreatedAt);
        WriteDate(json, "updatedAt", row.UpdatedAt);
        json.WriteEndObject();
    }

    private static void WriteStepMembers(Utf8JsonWriter json, InstanceStepView row)
    {
        json.WriteString("stepKey", row.Name);
        json.WriteString("name", row.Name);
        json.WriteString("type", row.Type);
        json.WriteString("status", row.Status);
        json.WriteNumber("attempts", row.Attempts);
        json.WriteNumber("maxAttempts", row.MaxAttempts);
        if (row.TimeoutMs is { } timeout) json.WriteNumber("timeoutMs", timeout);
        else json.WriteNull("timeoutMs");
        WriteDate(json, "nextRetryAt", row.NextRetryAt);
        WriteDate(json, "wakeAt", row.WakeAt);
        json.WriteString("waitEventType", row.WaitEventType);
        if (row.Error is { } error) WriteError(json, error);
    }

    public static void WriteEvent(Utf8JsonWriter json, RunRef run, WorkflowDefinition definition, InboxEvent row)
    {
        json.WriteStartObject();
        json.WriteString("id", string.Create(CultureInfo.InvariantCulture, $"event_{row.Id:x}"));
        json.WriteNumber("runNumber", run.Number);
        json.WriteString("type", row.Type);
        json.WritePropertyName("payload");
        json.WriteRaw(row.PayloadJson);
        WriteDate(json, "createdAt", row.CreatedAt);
        WriteDate(json, "deliveredAt", row.DeliveredAt);
        json.WriteString("consumedByStepKey", row.ConsumedBy is { } index ? definition.NameOf(index) : null);
        json.WriteEndObject();
    }

    public static void WriteLog(Utf8JsonWriter json, RunRef run, LogRow row)
    {
        json.WriteStartObject();
        json.WriteString("id", string.Create(CultureInfo.InvariantCulture, $"log_{row.Id:x}"));
        json.WriteNumber("runNumber", run.Number);
        json.WriteString("stepKey", row.Step.Length == 0 ? null : row.Step);

        // Stored as retries used; people count attempts from 1.
        if (row.Attempt is { } attempt) json.WriteNumber("attempt", attempt + 1);
        else json.WriteNull("attempt");
        json.WriteString("level", row.Level);
        json.WriteString("category", row.Category);
        json.WritePropertyName("message");
        json.WriteRaw(row.MessageJson);
        json.WritePropertyName("data");
        json.WriteRaw(row.DataJson);
        json.WriteBoolean("isReplay", false);
        WriteDate(json, "createdAt", row.CreatedAt);
        json.WriteEndObject();
    }

    public static void WriteDate(Utf8JsonWriter json, string name, DateTimeOffset? at)
    {
        if (at is { } instant) json.WriteString(name, WaitResult.Timestamp(instant));
        else json.WriteNull(name);
    }

    private static void WriteError(Utf8JsonWriter json, StepError error)
    {
        json.WriteStartObject("error");
        json.WriteString("name", error.Name);
        json.WriteString("message", error.Message);
        json.WriteEndObject();
    }
}
