using System.Text.Json;
using Broker.Core.Json;
using Broker.Engine;
using Broker.Http;
using Broker.Storage.Contracts;

namespace Broker.Api.JobsDialect;

/// <summary>The list of workers (jobs contract 4 and 6.8).</summary>
internal static class WorkerRoutes
{
    public static async Task RegisterAsync(HttpContext http, BrokerEngine engine, CancellationToken ct)
    {
        if (await JobsRequests.ReadAsync(http, engine.Settings, Read, ct) is not (true, var (id, labels))) return;
        await engine.RegisterWorkerAsync(id, labels, ct);
        await JobsErrors.EmptyAsync(http.Response, StatusCodes.Status200OK);
    }

    private static (string Id, IReadOnlyList<string> Labels) Read(JsonElement body, JobsReader reader) =>
        reader.IsObject(body, "") ? (reader.Id(body, "worker_id", ""), reader.Names(body, "labels", "", required: true)) : ("", []);

    public static async Task HeartbeatAsync(HttpContext http, BrokerEngine engine, string id, CancellationToken ct)
    {
        DrainNotice.Offer(http.Response, engine, id);
        if (JobIds.MayExist(id) && await engine.SeenAsync(id, ct)) await JobsErrors.EmptyAsync(http.Response, StatusCodes.Status200OK);
        else await JobsErrors.SendAsync(http.Response, StatusCodes.Status404NotFound, $"no worker '{StorableText.Fitting(id)}' has registered");
    }

    public static async Task ListAsync(HttpContext http, BrokerEngine engine, CancellationToken ct)
    {
        var seenSince = engine.Now - engine.Settings.WorkerOffline;
        await using var answer = new JsonStream(http.Response);
        answer.Json.WriteStartArray();
        await foreach (var worker in engine.WorkersAsync(WorkerKind.Labelled, null, ct))
        {
            var shown = new LabelledWorkerDto(
                worker.Id, worker.Labels, worker.RegisteredAt.ToUnixTimeMilliseconds(), worker.SeenAt.ToUnixTimeMilliseconds(), worker.Current, Status(worker, seenSince));
            JsonSerializer.Serialize(answer.Json, shown, JobsJson.Default.LabelledWorkerDto);
            await answer.RowAsync(ct);
        }

        answer.Json.WriteEndArray();
        await answer.EndAsync(ct);
    }

    private static string Status(WorkerView worker, DateTimeOffset seenSince) =>
        worker.SeenAt < seenSince ? "offline" : worker.Current is null ? "idle" : "busy";
}
