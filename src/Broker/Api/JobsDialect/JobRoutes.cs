using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Engine;
using Broker.Http;
using Broker.Operations.Tracing;
using Broker.Storage.Contracts;

namespace Broker.Api.JobsDialect;

/// <summary>What workers call for one job (jobs contract 4).</summary>
internal static class JobRoutes
{
    public static async Task ClaimAsync(HttpContext http, BrokerEngine engine, CancellationToken ct)
    {
        if (await JobsRequests.ReadAsync(http, engine.Settings, static (body, reader) => ClaimBody.Read(body, "", reader), ct) is not (true, var claim)) return;

        await engine.SeenUnregisteredAsync(claim.Request.WorkerId, ct);
        var claimed = await engine.ClaimAsync(claim.Request, claim.Wait, ct);
        TraceParents.Offer(http.Response, claimed);
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, (claimed, claim.Many), static (json, answer) =>
        {
            if (answer.Many) ClaimWriter.WriteAll(json, answer.claimed);
            else if (answer.claimed.Count == 0) json.WriteNullValue();
            else ClaimWriter.Write(json, answer.claimed[0]);
        });
    }

    /// <summary>Renews for the time the claim asked for.</summary>
    public static async Task HeartbeatAsync(HttpContext http, BrokerEngine engine, string lease, CancellationToken ct)
    {
        var alive = LeaseId.TryParse(lease, out var id) && (await engine.HeartbeatAsync([id], ct))[0] is not HeartbeatVerdict.Gone;
        await JobsErrors.EmptyAsync(http.Response, alive ? StatusCodes.Status200OK : StatusCodes.Status409Conflict);
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
        await JobsErrors.EmptyAsync(http.Response, Reports.Status(verdict));
    }

    public static async Task CancelledAsync(HttpContext http, BrokerEngine engine, string workflow, string job, CancellationToken ct)
    {
        var shown = await WorkflowLookup.FindClaimedAsync(engine, workflow, ct);
        await JsonAnswer.SendAsync(
            http.Response, StatusCodes.Status200OK, shown?.IsCancelled(job) ?? false, JobsJson.Default.Boolean);
    }
}
