using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Json;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Engine;
using Broker.Storage.Contracts;

namespace Broker.Api.JobsDialect;

/// <summary>Extensions for workers with many jobs: one request, and one transaction, for all of them.</summary>
internal static class BatchRoutes
{
    private const string Invalid = "invalid";

    /// <summary>One report of a batch; without a report, why it is left out.</summary>
    private readonly record struct Item(string LeaseId, LeaseReport? Report, string Verdict, DefinitionProblem? Problem);

    private sealed record Outcome(IReadOnlyList<Item> Items, IReadOnlyList<Assignment> Claimed);

    /// <summary>Reports each under its own fence and then, if asked to, claims the next. A faulty report costs only itself.</summary>
    public static async Task CompleteAsync(HttpContext http, BrokerEngine engine, CancellationToken ct)
    {
        using var body = await JsonBody.ReadAsync(http.Request, engine.Settings, ct);
        if (body.Fault is not BodyFault.None)
        {
            await JobsErrors.BadBodyAsync(http.Response, body);
            return;
        }

        var fields = new Fields();
        var results = Items(body.Root, "results", engine.Settings.Limits.Batch, fields);
        var claim = !fields.Any && Fields.Has(body.Root, "claim") ? ClaimBody.Read(body.Root.GetProperty("claim"), "claim", engine.Settings.Limits.Batch, fields) : default;
        if (fields.Any)
        {
            await JobsErrors.WrongShapeAsync(http.Response, fields.Problems);
            return;
        }

        var items = new Item[results.GetArrayLength()];
        for (var i = 0; i < items.Length; i++) items[i] = Read(results[i], $"results[{i}]");
        var claimed = await ReportAsync(engine, items, claim, ct);
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, new Outcome(items, claimed), static (json, outcome) => Write(json, outcome));
    }

    private static async Task<IReadOnlyList<Assignment>> ReportAsync(BrokerEngine engine, Item[] items, ClaimBody claim, CancellationToken ct)
    {
        if (claim.Request is not null) await engine.SeenUnregisteredAsync(claim.Request.WorkerId, ct);
        var reported = await engine.ReportAsync([.. items.Where(i => i.Report is not null).Select(i => i.Report!)], claim.Request, ct);
        var next = 0;
        for (var i = 0; i < items.Length; i++)
        {
            if (items[i].Report is not null) items[i] = items[i] with { Verdict = Reports.Word(reported.Verdicts[next++]) };
        }

        return claim.Request is null || claim.Wait == TimeSpan.Zero || reported.Claimed.Count > 0
            ? reported.Claimed
            : await engine.ClaimAsync(claim.Request, claim.Wait, ct);
    }

    private static Item Read(JsonElement result, string path)
    {
        var fields = new Fields();
        if (!fields.IsObject(result, path)) return new("", null, Invalid, fields.Problems[0]);

        var text = LeaseText(result, path, fields);
        var failed = Fields.Has(result, "error");
        var report = failed ? Reports.Failure(result, path, fields) : Reports.Success(result, path, fields);
        if (failed && Fields.Has(result, "outputs")) fields.Add(path, "has outputs and an error: a job ends with one of them");
        if (fields.Any) return new(text, null, Invalid, fields.Problems[0]);

        // No lease of ours has another form, so this one is lost, as an unknown one is.
        return LeaseId.TryParse(text, out var lease) ? new(text, new(lease, report), "", null) : new(text, null, "stale", null);
    }

    private static void Write(Utf8JsonWriter json, Outcome outcome)
    {
        json.WriteStartObject();
        json.WriteStartArray("results");
        foreach (var item in outcome.Items)
        {
            json.WriteStartObject();
            json.WriteString("lease_id", item.LeaseId);
            json.WriteBoolean("accepted", item.Verdict == Reports.Word(ReportVerdict.Accepted));
            json.WriteString("verdict", item.Verdict);
            if (item.Problem is { } problem) json.WriteString("error", problem.ToString());
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WritePropertyName("claimed");
        ClaimWriter.WriteAll(json, outcome.Claimed);
        json.WriteEndObject();
    }

    /// <summary>Renews many leases, and tells which jobs were cancelled.</summary>
    public static async Task HeartbeatAsync(HttpContext http, BrokerEngine engine, CancellationToken ct)
    {
        using var body = await JsonBody.ReadAsync(http.Request, engine.Settings, ct);
        if (body.Fault is not BodyFault.None)
        {
            await JobsErrors.BadBodyAsync(http.Response, body);
            return;
        }

        var fields = new Fields();
        var ids = Items(body.Root, "lease_ids", engine.Settings.Limits.Batch, fields);
        if (fields.Any)
        {
            await JobsErrors.WrongShapeAsync(http.Response, fields.Problems);
            return;
        }

        var texts = ids.EnumerateArray().Select(i => i.ValueKind is JsonValueKind.String ? StorableText.Fitting(JsonText.StringOf(i)) : "").ToList();
        var leases = texts.Select(t => LeaseId.TryParse(t, out var lease) ? lease : default(LeaseId?)).ToList();
        var known = leases.Where(l => l is not null).Select(l => l!.Value).ToList();
        var found = known.Count == 0 ? [] : await engine.HeartbeatAsync(known, ct);
        var next = 0;
        var verdicts = leases.Select(l => l is null ? HeartbeatVerdict.Gone : found[next++]).ToList();
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, (texts, verdicts), static (json, answer) =>
        {
            json.WriteStartObject();
            json.WriteStartArray("results");
            for (var i = 0; i < answer.texts.Count; i++)
            {
                json.WriteStartObject();
                json.WriteString("lease_id", answer.texts[i]);
                json.WriteBoolean("alive", answer.verdicts[i] is not HeartbeatVerdict.Gone);
                json.WriteBoolean("cancelled", answer.verdicts[i] is HeartbeatVerdict.Cancelled);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    private static JsonElement Items(JsonElement body, string member, int most, Fields fields)
    {
        if (!fields.IsObject(body, "")) return default;
        var items = fields.Value(body, member, "", JsonValueKind.Array, required: true);
        if (items.ValueKind is JsonValueKind.Array && items.GetArrayLength() > most) fields.Add(member, $"has more than {most} entries");
        return items;
    }

    private static string LeaseText(JsonElement result, string path, Fields fields)
    {
        var lease = fields.Value(result, "lease_id", path, JsonValueKind.String, required: true);
        return lease.ValueKind is JsonValueKind.String ? StorableText.Fitting(JsonText.StringOf(lease)) : "";
    }
}
