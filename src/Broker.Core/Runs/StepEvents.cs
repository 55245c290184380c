using System.Text.Encodings.Web;
using System.Text.Json;
using Broker.Core.Definitions;

namespace Broker.Core.Runs;

/// <summary>The events that the broker itself puts on a run's stream.</summary>
public static class StepEvents
{
    /// <summary>Type of the internal event for a step's change of state.</summary>
    public const string StateChangedType = "StepStateChanged";

    /// <summary>Type of the internal event for an event put into a step's queue.</summary>
    public const string QueueChangedType = "EventsQueueChanged";

    /// <summary>Type of the internal event for a run that only waits for inbound events.</summary>
    public const string IdleType = "WorkflowIdleEvent";

    /// <summary>Type of the internal event for an inbound event that no step of the workflow takes.</summary>
    public const string UnhandledType = "UnhandledEvent";

    /// <summary>Name of the failure of a wait whose deadline passed.</summary>
    public const string WaitTimeoutName = "WaitForEventTimeoutError";

    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="step">The step in that state.</param>
    /// <param name="state"><c>running</c> or <c>not_running</c>: the words that every client accepts (handlers contract 8).</param>
    /// <param name="worker">The worker that held it; empty for waits.</param>
    /// <param name="input">The event that the step took, or null.</param>
    public static PublishedEvent StateChanged(StepDefinition step, string state, string? worker, string? input) =>
        new(StateChangedType,
            $$"""{"name":{{Text(step.Name)}},"step_state":"{{state}}","worker_id":{{Text(worker ?? "")}},"input_event_name":{{Text(input ?? "")}},"output_event_name":null,"context_state":null}""",
            Internal: true);

    public static PublishedEvent QueueChanged(StepDefinition step) =>
        new(QueueChangedType, $$"""{"name":{{Text(step.Name)}},"size":1}""", Internal: true);

    public static PublishedEvent Idle { get; } = new(IdleType, "{}", Internal: true);

    /// <param name="type">Type of the sent event.</param>
    /// <param name="qualifiedName">Its dotted name.</param>
    /// <param name="idle">The run only waits for events from outside.</param>
    public static PublishedEvent Unhandled(string type, string qualifiedName, bool idle) =>
        new(UnhandledType,
            $$"""{"event_type":{{Text(type)}},"qualified_name":{{Text(qualifiedName)}},"step_name":null,"idle":{{(idle ? "true" : "false")}}}""",
            Internal: true);

    private static string Text(string value) => JsonSerializer.Serialize(value, Plain);
}
