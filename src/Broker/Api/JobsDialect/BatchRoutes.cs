using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Json;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Engine;
using Broker.Http;
using Broker.Settings;
using Broker.Storage.Contracts;

namespace Broker.Api.JobsDialect;

/// <summary>Extensions for workers with many jobs: one request, and one transaction, for all of them.</summary>
internal static class BatchRoutes
{
    private const string Invalid = "invalid";

    /// <summary>One report of a batch; without a report, why it is left out.</summary>
    private readonly record struct Item(string LeaseId, LeaseReport? Report, string Verdict, DefinitionProblem? Problem, LeaseLoss? Loss = null);

    private sealed record Outcome(IReadOnlyList<Item> Items, IReadOnlyList<Assignment> Claimed, ClaimedNeeds Needs);

    /// <summary>Reports each under its own fence and then, if asked to, claims the next. A faulty report costs only itself.</summary>
    public static async Task CompleteAsync(HttpContext http, BrokerEngine engine, CancellationToken ct)
    {
        if (await JobsRequests.ReadAsync(http, engine.Settings, ReadBatch, ct) is not (true, var batch)) return;
        var claimed = await ReportAsync(engine, batch.Items, batch.Claim, ct);
        if (batch.Claim.Request is { } claim) DrainNotice.Offer(http.Response, engine, claim.WorkerId);
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, new Outcome(batch.Items, claimed, await ClaimedNeeds.ReadAsync(engine, claimed, ct)), static (json, outcome) => Write(json, outcome));
    }

    private static (Item[] Items, ClaimBody Claim) ReadBatch(JsonElement body, JobsReader reader)
    {
        var results = Items(body, "results", reader);
        var claim = !reader.IsBroken && JobsReader.Has(body, "claim") ? ClaimBody.Read(body.GetProperty("claim"), "claim", reader) : default;
        if (reader.IsBroken) return ([], claim);
        var items = new Item[results.GetArrayLength()];
        for (var i = 0; i < items.Length; i++) items[i] = Read(results[i], $"results[{i}]", reader.Limits);
        return (items, claim);
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

        await ExplainAsync(engine, items, ct);

        return claim.Request is null || claim.Wait == TimeSpan.Zero || reported.Claimed.Count > 0
            ? reported.Claimed
            : await engine.ClaimAsync(claim.Request, claim.Wait, ct);
    }

    private static async Task ExplainAsync(BrokerEngine engine, Item[] items, CancellationToken ct)
    {
        int[] stale = [.. Enumerable.Range(0, items.Length).Where(i => items[i].Verdict == Reports.Stale && items[i].Report is not null)];
        if (stale.Length == 0) return;
        var losses = await engine.LossesAsync([.. stale.Select(i => items[i].Report!.Lease)], ct);
        for (var i = 0; i < stale.Length; i++) items[stale[i]] = items[stale[i]] with { Loss = losses[i] };
    }

    private static Item Read(JsonElement result, string path, LimitSettings limits)
    {
        var reader = new JobsReader(limits);
        if (!reader.IsObject(result, path)) return new("", null, Invalid, reader.Problems[0]);

        var text = LeaseText(result, path, reader);
        var (failed, postponed) = (JobsReader.Has(result, "error"), JobsReader.Has(result, "postpone_ms"));
        var report = postponed ? Reports.Postponement(result, path, reader, "postpone_ms")
            : failed ? Reports.Failure(result, path, reader) : Reports.Success(result, path, reader);
        if (postponed && (failed || JobsReader.Has(result, "outputs"))) reader.Add(path, "has postpone_ms and an end: a job is put off or ends");
        if (failed && JobsReader.Has(result, "outputs")) reader.Add(path, "has outputs and an error: a job ends with one of them");
        if (reader.IsBroken) return new(text, null, Invalid, reader.Problems[0]);

        // No lease of ours has another form, so this one is lost, as an unknown one is.
        return LeaseId.TryParse(text, out var lease) ? new(text, new(lease, report), "", null) : new(text, null, Reports.Stale, null, LeaseLoss.UnknownLease);
    }

    // By hand for the sake of the claims in it.
    private static void Write(Utf8JsonWriter json, Outcome outcome)
    {
        json.WriteStartObject();
        json.WritePropertyName("results");
        JobVerdictDto[] verdicts = [.. outcome.Items.Select(item => new JobVerdictDto(
            item.LeaseId, item.Verdict == Reports.Word(ReportVerdict.Accepted), item.Verdict, item.Problem?.ToString(), item.Loss is { } loss ? LostLease.Code(loss) : null))];
        JsonSerializer.Serialize(json, verdicts, JobsJson.Default.JobVerdictDtoArray);
        json.WritePropertyName("claimed");
        ClaimWriter.WriteAll(json, outcome.Claimed, outcome.Needs);
        json.WriteEndObject();
    }

    /// <summary>Renews many leases, and names the jobs that were cancelled.</summary>
    public static async Task HeartbeatAsync(HttpContext http, BrokerEngine engine, CancellationToken ct)
    {
        if (await JobsRequests.ReadAsync(http, engine.Settings, ReadLeases, ct) is not (true, var beats)) return;
        var leases = beats.Texts.Select(t => LeaseId.TryParse(t, out var lease) ? lease : default(LeaseId?)).ToList();
        var known = leases.Where(l => l is not null).Select(l => l!.Value).ToList();
        var progress = beats.Progress is null ? null : beats.Texts.Where((_, i) => leases[i] is not null).Select(t => beats.Progress.GetValueOrDefault(t)).ToList();
        var found = known.Count == 0 ? [] : await engine.HeartbeatAsync(known, ct, progress);
        List<LeaseId> lost = [.. known.Where((_, i) => found[i] is HeartbeatVerdict.Gone)];
        var losses = lost.Count == 0 ? [] : await engine.LossesAsync(lost, ct);
        var (next, nextLoss) = (0, 0);
        var answer = new RenewedLeasesDto([.. leases.Select((lease, i) =>
        {
            if (lease is null) return RenewedLeaseDto.Of(beats.Texts[i], HeartbeatVerdict.Gone, LeaseLoss.UnknownLease);
            var verdict = found[next++];
            return RenewedLeaseDto.Of(beats.Texts[i], verdict, verdict is HeartbeatVerdict.Gone ? losses[nextLoss++] : null);
        })]);
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, answer, JobsJson.Default.RenewedLeasesDto);
    }

    private static (List<string> Texts, Dictionary<string, string>? Progress) ReadLeases(JsonElement body, JobsReader reader)
    {
        var ids = Items(body, "lease_ids", reader);
        if (reader.IsBroken) return ([], null);
        List<string> texts = [.. ids.EnumerateArray().Select(i => i.ValueKind is JsonValueKind.String ? StorableText.Fitting(JsonText.StringOf(i)) : "")];
        return (texts, ReadProgress(body, texts, reader));
    }

    private static Dictionary<string, string>? ReadProgress(JsonElement body, List<string> leases, JobsReader reader)
    {
        var given = reader.Value(body, "progress", "", JsonValueKind.Object);
        if (given.ValueKind is not JsonValueKind.Object) return null;
        var (known, progress) = (leases.ToHashSet(StringComparer.Ordinal), new Dictionary<string, string>(StringComparer.Ordinal));
        foreach (var entry in given.EnumerateObject())
        {
            var lease = StorableText.Fitting(JsonText.NameOf(entry));
            if (!known.Contains(lease)) reader.Add($"progress.{lease}", "is no lease of lease_ids");
            else if (Progress.Read(entry.Value, $"progress.{lease}", reader.Add) is { } text) progress[lease] = text;
        }

        return progress;
    }

    private static JsonElement Items(JsonElement body, string member, JobsReader reader)
    {
        if (!reader.IsObject(body, "")) return default;
        var items = reader.Value(body, member, "", JsonValueKind.Array, required: true);
        if (items.ValueKind is JsonValueKind.Array && items.GetArrayLength() > reader.Limits.Batch) reader.Add(member, $"has more than {reader.Limits.Batch} entries");
        return items;
    }

    private static string LeaseText(JsonElement result, string path, JobsReader reader)
    {
        var lease = reader.Value(result, "lease_id", path, JsonValueKind.String, required: true);
        return lease.ValueKind is JsonValueKind.String ? StorableText.Fitting(JsonText.StringOf(lease)) : "";
    }
}
