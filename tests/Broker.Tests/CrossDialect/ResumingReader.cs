using System.Net;
using System.Net.ServerSentEvents;
using Xunit;

namespace Broker.Tests.CrossDialect;

/// <summary>Where the broker is now; readers whose connection broke wait here for the next one.</summary>
internal sealed class BrokerAddress(HttpClient first)
{
    private TaskCompletionSource<HttpClient> current = Of(first);

    public Task<HttpClient> Current => current.Task;

    public void Gone() => current = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Back(HttpClient client) => current.SetResult(client);

    private static TaskCompletionSource<HttpClient> Of(HttpClient client)
    {
        var there = new TaskCompletionSource<HttpClient>();
        there.SetResult(client);
        return there;
    }
}

/// <summary>Reads one stream to its end, and goes on from the last id whenever the connection breaks or <paramref name="dropEvery"/> items have come.</summary>
internal sealed class ResumingReader(BrokerAddress broker, string path, Func<SseItem<string>, bool> isLast, int dropEvery)
{
    private volatile int count;

    public List<SseItem<string>> Items { get; } = [];

    /// <summary>Safe to read while the reader runs.</summary>
    public int Count => count;

    public int Connections { get; private set; }

    public TaskCompletionSource Opened { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public async Task RunAsync(CancellationToken ct)
    {
        while (!await ReadAsync(await broker.Current.WaitAsync(ct), ct))
        {
        }
    }

    // True at the end of the stream.
    private async Task<bool> ReadAsync(HttpClient http, CancellationToken ct)
    {
        try
        {
            Connections++;
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            if (Items.Count > 0) request.Headers.Add("Last-Event-ID", Items[^1].EventId);
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Opened.TrySetResult();
            var left = dropEvery;
            await foreach (var item in SseParser.Create(await response.Content.ReadAsStreamAsync(ct)).EnumerateAsync(ct))
            {
                Items.Add(item);
                count = Items.Count;
                if (isLast(item)) return true;
                if (--left == 0) return false;
            }
        }
        catch (Exception cut) when (cut is HttpRequestException or IOException)
        {
            // A stopped broker: on to the next one.
        }

        return false;
    }
}
