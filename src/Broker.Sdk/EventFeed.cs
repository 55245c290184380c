using System.Net.ServerSentEvents;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Broker.Sdk;

/// <summary>Server-sent events of one address, opened again behind the last one whenever the connection breaks.</summary>
internal sealed class EventFeed<T>(Func<long?, CancellationToken, Task<HttpResponseMessage>> open, long? after, Func<T, long> idOf, JsonTypeInfo<T> type, TimeProvider clock) : IAsyncDisposable
    where T : class
{
    private const string End = "end";

    // The broker writes a comment at least each quarter of this time, unless Broker:StreamHeartbeat says otherwise. A silent connection is opened anew.
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(60);

    private readonly Reconnect reconnect = new(clock);
    private HttpResponseMessage? response;
    private IAsyncEnumerator<SseItem<T?>>? events;

    /// <summary>Null: the run has ended and there is no further item.</summary>
    public async Task<T?> NextAsync(CancellationToken ct)
    {
        while (true)
        {
            try
            {
                events ??= await OpenAsync(ct);
                if (await events.MoveNextAsync())
                {
                    reconnect.Succeeded();
                    if (events.Current.EventType == End) return null;
                    if (events.Current.Data is not { } item) continue;
                    after = idOf(item);
                    return item;
                }

                // Without the event "end": the broker stops, or a proxy cut the stream.
                await CloseAsync();
                await reconnect.PauseAsync(null, ct);
            }
            catch (Exception fault) when (Reconnect.Passes(fault, ct))
            {
                await CloseAsync();
                await reconnect.PauseAsync(fault, ct);
            }
        }
    }

    public ValueTask DisposeAsync() => CloseAsync();

    private async Task<IAsyncEnumerator<SseItem<T?>>> OpenAsync(CancellationToken ct)
    {
        response = await open(after, ct);
        var body = new WatchedStream(await response.Content.ReadAsStreamAsync(ct), LongestSilence, clock);
        return SseParser.Create(body, (name, data) => name == End ? null : JsonSerializer.Deserialize(data, type)).EnumerateAsync(ct).GetAsyncEnumerator(ct);
    }

    private async ValueTask CloseAsync()
    {
        if (events is not null) await events.DisposeAsync();
        response?.Dispose();
        (events, response) = (null, null);
    }
}
