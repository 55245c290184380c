using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Broker.Operators;

namespace Broker.Sdk;

/// <summary>One run of a workflow. Methods that refuse throw <see cref="OperatorException"/>; the run is deleted where its code is <c>not_found</c>.</summary>
/// <typeparam name="TResult">Type of the final value.</typeparam>
public sealed class Run<TResult>
{
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(30);

    // A broker that stops answers a wait at once.
    private static readonly TimeSpan EarlyAnswer = TimeSpan.FromSeconds(1);

    private readonly IOperatorApi api;
    private readonly JsonTypeInfo<TResult> result;
    private readonly TimeProvider clock;

    internal Run(IOperatorApi api, RunAddress address, JsonTypeInfo<TResult> result, TimeProvider clock, bool wasStarted) =>
        (this.api, Address, this.result, this.clock, WasStarted) = (api, address, result, clock, wasStarted);

    /// <summary>Workflow, instance id and number of the run; without a number it is the instance's newest run.</summary>
    public RunAddress Address { get; }

    /// <summary>The start that returned this run has made it; false for one that was there.</summary>
    public bool WasStarted { get; }

    /// <summary>The run as it stands, with its inputs and result as JSON text.</summary>
    /// <param name="ct">Gives up.</param>
    /// <exception cref="HttpRequestException">No broker answers.</exception>
    public Task<RunDetail> GetAsync(CancellationToken ct = default) => api.GetRunAsync(Address, ct);

    /// <summary>
    /// Waits for the end of the run, for as long as that takes, and returns its final value. Brokers may restart meanwhile: a request without an
    /// answer is sent again.
    /// </summary>
    /// <param name="ct">Gives up; the run goes on.</param>
    /// <exception cref="RunFailedException">The run failed or was cancelled.</exception>
    /// <exception cref="OperatorException">There is no such run, or the key may not read it.</exception>
    /// <exception cref="JsonException">The final value is none of <typeparamref name="TResult"/>.</exception>
    public async Task<TResult> ResultAsync(CancellationToken ct = default)
    {
        var reconnect = new Reconnect(clock);
        while (true)
        {
            Exception? fault = null;
            var asked = clock.GetTimestamp();
            try
            {
                var run = await api.WaitForRunAsync(Address, Wait, ct);
                if (run.Status is "succeeded") return JsonSerializer.Deserialize(run.Result?.Text ?? "null", result)!;
                if (run.EndedAt is not null || run.Status is "failed" or "cancelled") throw new RunFailedException(run);
                if (clock.GetElapsedTime(asked) >= EarlyAnswer)
                {
                    reconnect.Succeeded();
                    continue;
                }
            }
            catch (Exception passing) when (Reconnect.Passes(passing, ct))
            {
                fault = passing;
            }

            await reconnect.PauseAsync(fault, ct);
        }
    }

    /// <summary>Sends an event to the newest run of the instance.</summary>
    /// <typeparam name="TValue">Type of its value.</typeparam>
    /// <param name="type">Type of the event.</param>
    /// <param name="value">Its value.</param>
    /// <param name="eventId">1 to 128 characters: the same id again is taken once. Null: one is made for this call.</param>
    /// <param name="ct">Gives up; the event may have been taken.</param>
    /// <exception cref="OperatorException">The run has ended, or its workflow does not take the value.</exception>
    /// <exception cref="HttpRequestException">No broker answers.</exception>
    public Task<EventReceipt> SendAsync<TValue>(EventRef<TValue> type, TValue value, string? eventId = null, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(type);
        var sent = new NewEvent { Type = type.Type, Value = new RawJson(JsonSerializer.Serialize(value, type.Value)), EventId = eventId ?? Guid.NewGuid().ToString("N") };
        return api.SendEventAsync(Address.Workflow, Address.Instance, sent, ct);
    }

    /// <summary>Events that the run published and those that it publishes, in order and without gaps, until it has ended. Broken connections are opened again.</summary>
    /// <param name="after">Begin behind the event of this <see cref="RunEvent.Id"/>; null: with the first.</param>
    /// <param name="ct">Ends the stream.</param>
    /// <exception cref="OperatorException">There is no such run, or the key may not read it.</exception>
    public IAsyncEnumerable<RunEvent> EventsAsync(long? after = null, CancellationToken ct = default) => api.FollowEventsAsync(Address, after, ct);

    /// <summary>Lines that the steps of the run wrote, in order and without gaps. Broken connections are opened again.</summary>
    /// <param name="follow">Go on with new lines, which come within a second, until the run has ended.</param>
    /// <param name="step">Lines of this step alone; null: of all.</param>
    /// <param name="after">Begin behind the line of this <see cref="RunLogLine.Id"/>; null: with the first.</param>
    /// <param name="ct">Ends the stream.</param>
    /// <exception cref="OperatorException">There is no such run or step, or the key may not read it.</exception>
    public IAsyncEnumerable<RunLogLine> LogsAsync(bool follow = false, string? step = null, long? after = null, CancellationToken ct = default)
    {
        var query = new LogQuery { Step = step, After = after, Limit = Limits.LargestLogPage };
        return follow ? api.FollowLogsAsync(Address, query, ct) : StoredAsync(query, ct);
    }

    /// <summary>Ends the run; one that has ended stays as it is, and that is no error.</summary>
    /// <param name="reason">Why, for the audit trail: at most 500 characters.</param>
    /// <param name="ct">Gives up; the run may have been cancelled.</param>
    /// <returns>Status of the run after the command.</returns>
    /// <exception cref="OperatorException">There is no such run, it is not the newest one, or the key may not cancel it.</exception>
    /// <exception cref="HttpRequestException">No broker answers.</exception>
    public async Task<string> CancelAsync(string? reason = null, CancellationToken ct = default)
    {
        try
        {
            return (await api.CancelAsync(Address.Workflow, Address.Instance, new() { Reason = reason, IfRun = Address.Run }, ct)).Status;
        }
        catch (OperatorException refused) when (refused is { Code: "not_allowed", RunStatus: "succeeded" or "failed" or "cancelled" })
        {
            return refused.RunStatus!;
        }
    }

    private async IAsyncEnumerable<RunLogLine> StoredAsync(LogQuery query, [EnumeratorCancellation] CancellationToken ct)
    {
        while (true)
        {
            var page = await api.ListLogsAsync(Address, query, ct);
            foreach (var line in page.Items) yield return line;
            if (page.Next is not { } next) yield break;
            query = query with { After = next };
        }
    }
}
