using System.Globalization;
using System.Text.Json;
using Broker.Auth;
using Broker.Engine;
using Broker.Http;
using Broker.OpenApi;
using Broker.Operations;
using Broker.Operators;
using Broker.Storage.Contracts;

namespace Broker.Api.Operators;

/// <summary>Hints that something changed, as server-sent events.</summary>
internal static class ChangeRoutes
{
    private const int MostTopics = 32;

    private static readonly string[] Plain = ["runs", "waiting", "workers", "queues", "failures", "bulk", "schedules"];

    // Hints of one topic in between are one.
    private static readonly TimeSpan Merging = TimeSpan.FromMilliseconds(500);

    public static void MapChanges(this RouteGroupBuilder api) => api.MapGet("/changes", StreamAsync).WithName("WatchChanges").WithSummary("Hints that lists or runs changed, as server-sent events")
        .WithDescription(
            "A hint says that a topic may have changed: read it anew. Hints may be lost, so read again on each connection, and at times without one. The first event is `hello` with the broker's "
            + "version; then `change` with `topic`, `at` and `n`, the number of hints that were merged, at most 2 a second for each topic. A comment comes every 15 s.")
        .Produces<string>(StatusCodes.Status200OK, SseWriter.ContentType).Refuses(400, 404, 429)
        .Takes(QueryParameter.Text("topics", $"1 to {MostTopics} topics, separated by commas: {string.Join(", ", Plain)}, `runs:WORKFLOW`, `run:WORKFLOW/INSTANCE`; `%2C` is a comma in a name."))
        .AddEndpointFilter(StreamSlots.FilterAsync).RequireScope(Scope.Read).ByWorkflow().EndsWithKey();

    private static async Task StreamAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, IChangeHints hints, TimeProvider clock, CancellationToken ct)
    {
        var names = TopicsOf(new OperatorQuery(http.Request).List("topics"));
        var version = (await api.MeAsync(ct)).Version;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct, engine.Stopping);
        using var watched = hints.Watch(names.Keys.ToList());
        try
        {
            var events = await SseWriter.OpenAsync(http.Response, stop.Token);
            events.Event("hello", null, $$"""{"version":{{JsonSerializer.Serialize(version)}}}""");
            while (await events.FlushAsync(stop.Token))
            {
                var changed = await watched.NextAsync(engine.Settings.StreamHeartbeat, stop.Token);
                if (changed.Count == 0) events.Comment("");
                foreach (var (topic, number) in changed.GroupBy(change => names[change.Key]).Select(same => (same.Key, same.Sum(change => change.Value)))) events.Event("change", null, DataOf(topic, number, clock.GetUtcNow()));
                if (changed.Count > 0 && !await events.FlushAsync(stop.Token)) return;
                if (changed.Count > 0) await Task.Delay(Merging, clock, stop.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The client has gone, or the host stops.
        }
    }

    // Each topic to watch with the topic that was asked for: a limited caller watches the runs of its workflows.
    private static Dictionary<string, string> TopicsOf(IReadOnlyList<string> asked)
    {
        if (asked.Count is 0 or > MostTopics) throw OperatorException.BadParameter("topics", $"expected 1 to {MostTopics} topics, separated by commas");
        var topics = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var topic in asked.Select(text => text.Replace("%2C", ",", StringComparison.OrdinalIgnoreCase)))
        {
            if (topic == "runs" && Caller.Current.Limit is { } limit) foreach (var workflow in limit) topics[$"runs:{workflow}"] = topic;
            else if (Plain.Contains(topic)) topics[topic] = topic;
            else if (WorkflowOf(topic) is { } workflow) topics[topic] = Caller.Current.Knows(workflow) ? topic : throw OperatorException.NotFound($"There is no workflow '{workflow}'.");
            else throw OperatorException.BadParameter("topics", $"expected any of {string.Join(", ", Plain)}, runs:WORKFLOW, run:WORKFLOW/INSTANCE");
        }

        return topics;
    }

    private static string? WorkflowOf(string topic)
    {
        if (topic.StartsWith("runs:", StringComparison.Ordinal) && topic.Length > "runs:".Length) return topic["runs:".Length..];
        var end = topic.LastIndexOf('/');
        return topic.StartsWith("run:", StringComparison.Ordinal) && end > "run:".Length && end + 1 < topic.Length ? topic["run:".Length..end] : null;
    }

    private static string DataOf(string topic, int number, DateTimeOffset at) =>
        string.Create(CultureInfo.InvariantCulture, $$"""{"topic":{{JsonSerializer.Serialize(topic)}},"at":"{{at.UtcDateTime:yyyy-MM-ddTHH:mm:ss.fffZ}}","n":{{number}}}""");
}
