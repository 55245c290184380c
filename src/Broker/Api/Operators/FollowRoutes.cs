using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Broker.Engine;
using Broker.Http;
using Broker.OpenApi;
using Broker.Operators;

namespace Broker.Api.Operators;

/// <summary>Streams of one run, as server-sent events: what is stored, then what comes in, and an event <c>end</c> when the run has ended.</summary>
internal static class FollowRoutes
{
    private const string LastEventId = "Last-Event-ID";

    public static readonly QueryParameter After = QueryParameter.Text("after", $"Begin behind this id; the header {LastEventId} does the same and wins.");

    public static Task EventsAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, string workflow, string instance, CancellationToken ct) => SendAsync(
        http, engine, api.FollowEventsAsync(RunRoutes.AddressOf(http, workflow, instance), AfterOf(http), ct), "event", one => one.Id, OperatorJson.Default.RunEvent, ct);

    public static Task LogsAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, string workflow, string instance, CancellationToken ct)
    {
        var query = RunHistoryRoutes.ChoiceOf(new OperatorQuery(http.Request)) with { After = AfterOf(http) };
        return SendAsync(http, engine, api.FollowLogsAsync(RunRoutes.AddressOf(http, workflow, instance), query, ct), "log", line => line.Id, OperatorJson.Default.RunLogLine, ct);
    }

    private static long? AfterOf(HttpContext http) =>
        long.TryParse(http.Request.Headers[LastEventId].ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var last) ? last : new OperatorQuery(http.Request).Id("after");

    private static async Task SendAsync<T>(HttpContext http, BrokerEngine engine, IAsyncEnumerable<T> items, string name, Func<T, long> idOf, JsonTypeInfo<T> type, CancellationToken ct)
    {
        await using var all = items.GetAsyncEnumerator(ct);

        // The first look may refuse: it comes before the headers.
        var next = all.MoveNextAsync().AsTask();
        if (await Task.WhenAny(next, Task.Delay(engine.Settings.StreamHeartbeat, engine.Clock, ct)) == next) await next;
        try
        {
            var events = await SseWriter.OpenAsync(http.Response, ct);
            while (true)
            {
                if (!next.IsCompleted && !await HeldAsync(events, next, engine, ct)) return;
                if (!await next) break;
                events.Event(name, idOf(all.Current).ToString(CultureInfo.InvariantCulture), JsonSerializer.SerializeToUtf8Bytes(all.Current, type));
                next = all.MoveNextAsync().AsTask();
            }

            events.Event("end", null, "{}"u8);
            await events.FlushAsync(ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested || engine.Stopping.IsCancellationRequested)
        {
            // The client has left or the host stops. Without the event end the client opens the stream again.
        }
        finally
        {
            // An enumerator is not disposed of while it moves.
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // Sends what is written and waits for the next item, with a comment now and then. False: the client has left.
    private static async Task<bool> HeldAsync(SseWriter events, Task<bool> next, BrokerEngine engine, CancellationToken ct)
    {
        if (!await events.FlushAsync(ct)) return false;
        while (await Task.WhenAny(next, Task.Delay(engine.Settings.StreamHeartbeat, engine.Clock, ct)) != next)
        {
            ct.ThrowIfCancellationRequested();
            events.Comment("ping");
            if (!await events.FlushAsync(ct)) return false;
        }

        return true;
    }
}
