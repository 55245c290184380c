using Broker.Core.Json;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Engine;
using Broker.Http;
using Broker.Operations.Tracing;
using Broker.Storage.Contracts;

namespace Broker.Api.JobsDialect;

/// <summary>Routes that workers call for one job (jobs contract 4).</summary>
internal static class JobRoutes
{
    public static async Task ClaimAsync(HttpContext http, BrokerEngine engine, CancellationToken ct)
    {
        if (await JobsRequests.ReadAsync(http, engine.Settings, static (body, reader) => ClaimBody.Read(body, "", reader), ct) is not (true, var claim)) return;

        await engine.SeenUnregisteredAsync(claim.Request.WorkerId, ct);
        var claimed = await engine.ClaimAsync(claim.Request, claim.Wait, ct);
        TraceParents.Offer(http.Response, claimed);
        DrainNotice.Offer(http.Response, engine, claim.Request.WorkerId);
        var needs = await ClaimedNeeds.ReadAsync(engine, claimed, ct);
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, (claimed, needs, claim.Many), static (json, answer) =>
        {
            if (answer.Many) ClaimWriter.WriteAll(json, answer.claimed, answer.needs);
            else if (answer.claimed.Count == 0) json.WriteNullValue();
            else ClaimWriter.Write(json, answer.claimed[0], answer.needs);
        });
    }

    /// <summary>Renews for the time the claim asked for. Workers send no body; one is an extension, and so is the answer in JSON.</summary>
    public static async Task HeartbeatAsync(HttpContext http, BrokerEngine engine, string lease, CancellationToken ct)
    {
        var (isRead, progress) = await ReadProgressAsync(http, engine, ct);
        if (!isRead) return;
        var verdict = LeaseId.TryParse(lease, out var id) ? (await engine.HeartbeatAsync([id], ct, [progress]))[0] : HeartbeatVerdict.Gone;
        var status = verdict is HeartbeatVerdict.Gone ? StatusCodes.Status409Conflict : StatusCodes.Status200OK;
        if (!RunRequests.AcceptsJson(http.Request))
        {
            await JobsErrors.EmptyAsync(http.Response, status);
            return;
        }

        var loss = verdict is HeartbeatVerdict.Gone ? await LossAsync(engine, lease, ct) : default(LeaseLoss?);
        await JsonAnswer.SendAsync(http.Response, status, RenewedLeaseDto.Of(StorableText.Fitting(lease), verdict, loss), JobsJson.Default.RenewedLeaseDto);
    }

    private static ValueTask<(bool IsRead, string? Progress)> ReadProgressAsync(HttpContext http, BrokerEngine engine, CancellationToken ct) => JobsRequests.ReadAsync(
        http,
        engine.Settings,
        static (body, reader) => reader.IsObject(body, "") && JobsReader.Has(body, "progress") ? Progress.Read(body.GetProperty("progress"), "progress", reader.Add) : null,
        ct,
        isOptional: true);

    /// <summary>An extension: the job is put off, and it is charged nothing.</summary>
    public static async Task PostponeAsync(HttpContext http, BrokerEngine engine, string lease, CancellationToken ct)
    {
        if (await JobsRequests.ReadAsync(http, engine.Settings, static (body, reader) => Reports.Postponement(body, "", reader), ct) is (true, var report))
            await ReportAsync(http, engine, lease, report, ct);
    }

    public static async Task CompleteAsync(HttpContext http, BrokerEngine engine, string lease, CancellationToken ct)
    {
        if (await JobsRequests.ReadAsync(http, engine.Settings, static (body, reader) => Reports.Success(body, "", reader), ct) is (true, var report))
            await ReportAsync(http, engine, lease, report, ct);
    }

    public static async Task FailAsync(HttpContext http, BrokerEngine engine, string lease, CancellationToken ct)
    {
        if (await JobsRequests.ReadAsync(http, engine.Settings, static (body, reader) => Reports.Failure(body, "", reader), ct) is (true, var report))
            await ReportAsync(http, engine, lease, report, ct);
    }

    /// <summary>An extension: a worker that drains hands the job back, and it is charged nothing.</summary>
    public static Task ReleaseAsync(HttpContext http, BrokerEngine engine, string lease, CancellationToken ct) =>
        ReportAsync(http, engine, lease, StepReport.Returned, ct);

    private static async Task ReportAsync(HttpContext http, BrokerEngine engine, string lease, StepReport report, CancellationToken ct)
    {
        var verdict = LeaseId.TryParse(lease, out var id) ? (await engine.ReportAsync([new LeaseReport(id, report)], ct))[0] : ReportVerdict.Stale;
        var status = Reports.Status(verdict);
        await (status is StatusCodes.Status409Conflict
            ? JobsErrors.LostAsync(http.Response, await LossAsync(engine, lease, ct))
            : JobsErrors.EmptyAsync(http.Response, status));
    }

    private static async Task<LeaseLoss> LossAsync(BrokerEngine engine, string lease, CancellationToken ct) =>
        LeaseId.TryParse(lease, out var id) ? (await engine.LossesAsync([id], ct))[0] : LeaseLoss.UnknownLease;

    public static async Task CancelledAsync(HttpContext http, BrokerEngine engine, string workflow, string job, CancellationToken ct)
    {
        var shown = await WorkflowLookup.FindClaimedAsync(engine, workflow, ct);
        await JsonAnswer.SendAsync(
            http.Response, StatusCodes.Status200OK, shown?.IsCancelled(job) ?? false, JobsJson.Default.Boolean);
    }
}
