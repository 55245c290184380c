using System.Runtime.CompilerServices;
using System.Text.Json.Serialization.Metadata;
using Broker.Operators;

namespace Broker.Sdk;

public sealed partial class OperatorClient
{
    // A broker may take so much longer than it was asked to wait.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    public async Task<RunDetail> WaitForRunAsync(RunAddress run, TimeSpan wait, CancellationToken ct)
    {
        var seconds = (long)Math.Clamp(Math.Ceiling(wait.TotalSeconds), 0, Limits.LongestWaitSecs);
        using var limit = new TimeLimit(TimeSpan.FromSeconds(seconds) + Grace, clock, ct);
        try
        {
            using var request = Get(Of(run).With("wait", seconds));
            return await ReadAsync(clients(Endless), request, Json.RunDetail, limit.Token);
        }
        catch (OperationCanceledException) when (limit.HasPassed)
        {
            throw new HttpRequestException("The broker does not answer in time.");
        }
    }

    /// <summary>
    /// Events that a run published and those that it publishes, until it has ended. A broken connection is opened again behind the last event,
    /// for as long as the caller waits.
    /// </summary>
    /// <inheritdoc/>
    public IAsyncEnumerable<RunEvent> FollowEventsAsync(RunAddress run, long? after, CancellationToken ct) =>
        FollowAsync(Of(run, "events", "stream").ToString(), after, one => one.Id, Json.RunEvent, ct);

    /// <summary>
    /// Lines of a run that are stored and those that come in, until it has ended. A broken connection is opened again behind the last line, for
    /// as long as the caller waits.
    /// </summary>
    /// <inheritdoc/>
    public IAsyncEnumerable<RunLogLine> FollowLogsAsync(RunAddress run, LogQuery query, CancellationToken ct) =>
        FollowAsync(Choice(Of(run, "logs", "stream"), query).ToString(), query.After, line => line.Id, Json.RunLogLine, ct);

    private async IAsyncEnumerable<T> FollowAsync<T>(string address, long? after, Func<T, long> idOf, JsonTypeInfo<T> type, [EnumeratorCancellation] CancellationToken ct)
        where T : class
    {
        await using var feed = new EventFeed<T>((last, open) => OpenAsync(address, last, open), after, idOf, type, clock);
        while (await feed.NextAsync(ct) is { } item) yield return item;
    }

    private async Task<HttpResponseMessage> OpenAsync(string address, long? last, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.Accept.ParseAdd("text/event-stream");
        if (last is { } id) request.Headers.Add("Last-Event-ID", id.ToString(System.Globalization.CultureInfo.InvariantCulture));
        var response = await clients(Endless).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        if (response.IsSuccessStatusCode) return response;
        using (response) throw await RefusalAsync(response, ct);
    }
}
