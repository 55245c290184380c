using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Http;
using Broker.Storage.Contracts;

namespace Broker.Api.HandlersDialect;

/// <summary>How a stream is read; the two generations of clients know different events.</summary>
internal enum StreamMode
{
    /// <summary>One reader empties the run's queue.</summary>
    Queue,

    /// <summary>Any number of readers, each at its own position.</summary>
    Cursor,
}

/// <summary>An event as readers get it: always four keys (handlers contract 7).</summary>
/// <param name="Type">Its own name.</param>
/// <param name="QualifiedName">Dotted name; built-in events carry the names under which client libraries load them.</param>
/// <param name="Types">Ancestor kinds, nearest first, itself left out.</param>
/// <param name="ValueJson">Raw JSON object.</param>
internal sealed record StreamEnvelope(string Type, string? QualifiedName, IReadOnlyList<string> Types, string ValueJson)
{
    private const string InputRequired = "InputRequiredEvent";
    private const string HumanResponse = "HumanResponseEvent";
    private const string BuiltInModule = "workflows.events.";
    private static readonly string[] StopKind = [EventCatalog.DefaultStop];
    private static readonly string[] InternalKind = ["InternalDispatchEvent"];

    /// <summary>A published event, or the terminal one as <paramref name="mode"/> shows it; null when this mode does not show it.</summary>
    /// <param name="row">The stored event.</param>
    /// <param name="run">The run, read no earlier than the row; null when it has been deleted.</param>
    /// <param name="definition">Names and kinds of events.</param>
    /// <param name="mode">How the stream is read.</param>
    public static StreamEnvelope? Of(StreamEvent row, RunView? run, WorkflowDefinition definition, StreamMode mode) => row switch
    {
        { Type: null } => Terminal(run, mode),
        { Internal: true, Type: StepEvents.QueueChangedType } when mode is StreamMode.Cursor => null,
        { Internal: true, Type: StepEvents.IdleType or StepEvents.UnhandledType } when mode is StreamMode.Queue => null,
        { Internal: true } => new(row.Type, BuiltInModule + row.Type, InternalKind, row.ValueJson),
        _ => Published(row.Type, row.ValueJson, definition),
    };

    /// <summary>The stop event of a run that has succeeded.</summary>
    public static StreamEnvelope Completed(RunView run)
    {
        var events = run.Definition.Events;
        var result = run.ResultJson ?? "null";
        if (events.HasCustomStop) return new(events.Stop, events.StopEvent.QualifiedName, StopTypes(events), FinalValue.IsObject(result) ? result : "{}");
        return new(events.Stop, events.StopEvent.QualifiedName, events.StopEvent.Types, result == "null" ? "{}" : $$"""{"result":{{result}}}""");
    }

    public void Write(Utf8JsonWriter json, bool includeQualifiedName)
    {
        json.WriteStartObject();
        json.WritePropertyName("value");
        json.WriteRaw(ValueJson);
        if (includeQualifiedName && QualifiedName is not null) json.WriteString("qualified_name", QualifiedName);
        else json.WriteNull("qualified_name");
        json.WriteString("type", Type);
        if (Types.Count == 0)
        {
            json.WriteNull("types");
        }
        else
        {
            json.WriteStartArray("types");
            foreach (var type in Types) json.WriteStringValue(type);
            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static StreamEnvelope Published(string type, string valueJson, WorkflowDefinition definition)
    {
        var known = definition.Events.Find(type);
        if (type == definition.Events.Stop && definition.Events.HasCustomStop) return new(type, known!.QualifiedName, StopTypes(definition.Events), valueJson);
        if (known is not null) return new(type, known.QualifiedName, known.Types, valueJson);
        var builtIn = type is EventCatalog.DefaultStart or EventCatalog.DefaultStop or InputRequired or HumanResponse;
        return new(type, builtIn ? BuiltInModule + type : $"{definition.Name}.{type}", [], valueJson);
    }

    // The older clients know one way to end; the newest distinguish the ends by the event's name.
    private static StreamEnvelope Terminal(RunView? run, StreamMode mode) => (mode, run?.Status) switch
    {
        (_, RunStatus.Succeeded) => Completed(run!),
        (StreamMode.Queue, _) => new(EventCatalog.DefaultStop, BuiltInModule + EventCatalog.DefaultStop, [], "{}"),
        (StreamMode.Cursor, RunStatus.Failed) when TimedOut(run!) is { } wait =>
            new("WorkflowTimedOutEvent", BuiltInModule + "WorkflowTimedOutEvent", StopKind, TimeoutOf(wait)),
        (StreamMode.Cursor, RunStatus.Failed) => new("WorkflowFailedEvent", BuiltInModule + "WorkflowFailedEvent", StopKind, FailureOf(run!)),
        (StreamMode.Cursor, _) => new("WorkflowCancelledEvent", BuiltInModule + "WorkflowCancelledEvent", StopKind, "{}"),
    };

    private static StepState? FirstFailed(RunView run) => run.Steps.Where(s => s.Status is StepStatus.Failed && run.Definition.Steps[s.Index].Blocks(s)).OrderBy(s => s.EndedAt).FirstOrDefault();

    /// <summary>The wait whose deadline ended the run. Workers name their failures freely, so the kind of step decides.</summary>
    private static StepDefinition? TimedOut(RunView run) =>
        FirstFailed(run) is { Error.Name: StepEvents.WaitTimeoutName } step && run.Definition.Steps[step.Index] is { Kind: StepKind.WaitForEvent } wait ? wait : null;

    private static string TimeoutOf(StepDefinition wait) =>
        $$"""{"timeout":{{QueryText.Decimal(wait.TimeoutMs!.Value / 1000.0)}},"active_steps":[{{JsonSerializer.Serialize(wait.Name)}}]}""";

    private static string FailureOf(RunView run)
    {
        var step = FirstFailed(run);
        var error = run.Error ?? step?.Error ?? new(StepError.DefaultName, "");
        using var buffer = new PooledBuffer();
        using (var json = new Utf8JsonWriter(buffer, JsonAnswer.Options))
        {
            json.WriteStartObject();
            json.WriteString("step_name", step is null ? "" : run.Definition.Steps[step.Index].Name);
            json.WriteStartObject("exception");
            json.WriteString("exception_type", error.Name);
            json.WriteString("exception_message", error.Message);
            json.WriteEndObject();
            json.WriteNumber("attempts", (step?.Attempt ?? 0) + 1);
            json.WriteNumber("elapsed_seconds", ((run.EndedAt ?? run.UpdatedAt) - run.QueuedAt).TotalSeconds);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.Written.Span);
    }

    private static ImmutableArray<string> StopTypes(EventCatalog events) =>
        events.StopEvent.Types.Contains(EventCatalog.DefaultStop) ? events.StopEvent.Types : [.. events.StopEvent.Types, EventCatalog.DefaultStop];
}
