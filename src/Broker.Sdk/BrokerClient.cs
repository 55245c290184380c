using System.Text.Json;
using System.Text.Json.Nodes;
using Broker.Operators;

namespace Broker.Sdk;

/// <summary>
/// Client of a broker with typed workflows. Safe for several threads. <see cref="Api"/> has everything that operators do. Methods throw
/// <see cref="OperatorException"/> where the broker refuses, and <see cref="HttpRequestException"/> where no broker answers.
/// </summary>
public sealed partial class BrokerClient
{
    private readonly TimeProvider clock;

    /// <param name="api">The broker: an <see cref="OperatorClient"/>.</param>
    /// <param name="clock">Times the pauses between attempts; null: the system's.</param>
    public BrokerClient(IOperatorApi api, TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(api);
        (Api, this.clock) = (api, clock ?? TimeProvider.System);
    }

    /// <summary>The API for operators, one method for each route.</summary>
    public IOperatorApi Api { get; }

    /// <summary>Starts a run. The call makes one idempotency key, so that a request which is sent again after a lost answer starts nothing twice.</summary>
    /// <typeparam name="TInput">Type of the inputs.</typeparam>
    /// <typeparam name="TResult">Type of the final value.</typeparam>
    /// <param name="workflow">Workflow.</param>
    /// <param name="input">Inputs; they are written as a JSON object.</param>
    /// <param name="options">Id, tags and the like; null: none.</param>
    /// <param name="ct">Gives up; the run may have been started.</param>
    /// <returns>The run: a new one, or the newest of the instance with that id.</returns>
    /// <exception cref="OperatorException">The workflow is unknown or does not take the inputs, or the id is taken and may not be.</exception>
    /// <exception cref="HttpRequestException">No broker answers.</exception>
    public async Task<Run<TResult>> StartAsync<TInput, TResult>(WorkflowRef<TInput, TResult> workflow, TInput input, StartOptions? options = null, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(workflow);
        options ??= new();
        var start = new NewRun
        {
            Instance = options.Id,
            Inputs = new RawJson(JsonSerializer.Serialize(input, workflow.Input)),
            Tags = options.Tags.Count > 0 ? new RawJson(new JsonObject(options.Tags.Select(tag => KeyValuePair.Create(tag.Key, (JsonNode?)JsonValue.Create(tag.Value)))).ToJsonString()) : null,
            Priority = options.Priority == 0 ? null : options.Priority,
            Version = options.Version,
            DelayMs = (long?)options.Delay?.TotalMilliseconds,
            RunMs = (long?)options.TimeLimit?.TotalMilliseconds,
            IfExists = options.Id is null ? null : WordOf(options.IfExists),
        };
        var started = await Api.StartAsync(workflow.Name, start, Guid.NewGuid().ToString("N"), ct);
        return new(Api, new(started.Workflow, started.Instance!, started.Run), workflow.Result, clock, started.Started || started.Replayed);
    }

    /// <summary>A run by its names; no request is sent.</summary>
    /// <typeparam name="TInput">Type of the inputs.</typeparam>
    /// <typeparam name="TResult">Type of the final value.</typeparam>
    /// <param name="workflow">Workflow.</param>
    /// <param name="id">Id of the instance.</param>
    /// <param name="number">Number of the run, from 0; null: the instance's newest run, whichever that is at each call.</param>
    public Run<TResult> Get<TInput, TResult>(WorkflowRef<TInput, TResult> workflow, string id, int? number = null)
    {
        ArgumentNullException.ThrowIfNull(workflow);
        return new(Api, new(workflow.Name, id, number), workflow.Result, clock, wasStarted: false);
    }

    private static string WordOf(Start mode) => mode switch
    {
        Start.Attach => "attach",
        Start.Fail => "fail",
        Start.Restart => "restart",
        _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, "No such mode."),
    };
}
