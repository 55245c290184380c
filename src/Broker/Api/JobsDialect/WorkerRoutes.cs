using System.Text.Json;
using Broker.Core.Json;
using Broker.Engine;
using Broker.Storage.Contracts;

namespace Broker.Api.JobsDialect;

/// <summary>The list of workers (jobs contract 4 and 6.8).</summary>
internal static class WorkerRoutes
{
    public static async Task RegisterAsync(HttpContext http, BrokerEngine engine, CancellationToken ct)
    {
        using var body = await JsonBody.ReadAsync(http.Request, engine.Settings, ct);
        if (body.Fault is not BodyFault.None)
        {
            await JobsErrors.BadBodyAsync(http.Response, body);
            return;
        }

        var fields = new Fields();
        if (fields.IsObject(body.Root, ""))
        {
            var id = fields.Id(body.Root, "worker_id", "");
            var labels = fields.Names(body.Root, "labels", "", required: true);
            if (!fields.Any)
            {
                await engine.RegisterWorkerAsync(id, labels, ct);
                await JobsErrors.EmptyAsync(http.Response, StatusCodes.Status200OK);
                return;
            }
        }

        await JobsErrors.WrongShapeAsync(http.Response, fields.Problems);
    }

    public static async Task HeartbeatAsync(HttpContext http, BrokerEngine engine, string id, CancellationToken ct)
    {
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
            Write(answer.Json, worker, seenSince);
            await answer.RowAsync(ct);
        }

        answer.Json.WriteEndArray();
        await answer.EndAsync(ct);
    }

    private static void Write(Utf8JsonWriter json, WorkerView worker, DateTimeOffset seenSince)
    {
        json.WriteStartObject();
        json.WriteString("worker_id", worker.Id);
        json.WriteStartArray("labels");
        foreach (var label in worker.Labels) json.WriteStringValue(label);
        json.WriteEndArray();
        json.WriteNumber("registered_at_ms", worker.RegisteredAt.ToUnixTimeMilliseconds());
        json.WriteNumber("last_heartbeat_ms", worker.SeenAt.ToUnixTimeMilliseconds());
        json.WriteString("current_job", worker.Current);
        json.WriteString("status", Status(worker, seenSince));
        json.WriteEndObject();
    }

    private static string Status(WorkerView worker, DateTimeOffset seenSince) =>
        worker.SeenAt < seenSince ? "offline" : worker.Current is null ? "idle" : "busy";
}
