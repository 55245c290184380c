using System.Text.Encodings.Web;
using System.Text.Json;
using Broker.Core.Definitions;

namespace Broker.Core.Runs;

/// <summary>The events that the broker itself puts on a run's stream.</summary>
public static class StepEvents
{
    /// <summary>Type of the internal event that tells of a step's state.</summary>
    public const string StateChangedType = "StepStateChanged";

    /// <summary>Type of the internal event that tells of an event put into a step's queue.</summary>
    public const string QueueChangedType = "EventsQueueChanged";

    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="step">Whose state it is.</param>
    /// <param name="state"><c>running</c> or <c>not_running</c>: the words that every client accepts (handlers contract 8).</param>
    /// <param name="worker">Who held it; empty for waits.</param>
    /// <param name="input">The event that it took, or null.</param>
    public static PublishedEvent StateChanged(StepDefinition step, string state, string? worker, string? input) =>
        new(StateChangedType,
            $$"""{"name":{{Text(step.Name)}},"step_state":"{{state}}","worker_id":{{Text(worker ?? "")}},"input_event_name":{{Text(input ?? "")}},"output_event_name":null,"context_state":null}""",
            Internal: true);

    public static PublishedEvent QueueChanged(StepDefinition step) =>
        new(QueueChangedType, $$"""{"name":{{Text(step.Name)}},"size":1}""", Internal: true);

    private static string Text(string value) => JsonSerializer.Serialize(value, Plain);
}
