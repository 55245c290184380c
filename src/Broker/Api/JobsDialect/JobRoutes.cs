using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Engine;
using Broker.Operations.Tracing;
using Broker.Storage.Contracts;

namespace Broker.Api.JobsDialect;

/// <summary>What workers call for one job (jobs contract 4).</summary>
internal static class JobRoutes
{
    public static async Task ClaimAsync(HttpContext http, BrokerEngine engine, CancellationToken ct)
    {
        using var body = await JsonBody.ReadAsync(http.Request, engine.Settings, ct);
        if (body.Fault is not BodyFault.None)
        {
            await JobsErrors.BadBodyAsync(http.Response, body);
            return;
        }

        var fields = new Fields();
        var claim = ClaimBody.Read(body.Root, "", engine.Settings.Limits.Batch, fields);
        if (fields.Any)
        {
            await JobsErrors.WrongShapeAsync(http.Response, fields.Problems);
            return;
        }

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
        using var body = await JsonBody.ReadAsync(http.Request, engine.Settings, ct);
        if (body.Fault is not BodyFault.None)
        {
            await JobsErrors.BadBodyAsync(http.Response, body);
            return;
        }

        var fields = new Fields();
        var report = Reports.Success(body.Root, "", fields);
        await ReportAsync(http, engine, lease, report, fields, ct);
    }

    public static async Task FailAsync(HttpContext http, BrokerEngine engine, string lease, CancellationToken ct)
    {
        using var body = await JsonBody.ReadAsync(http.Request, engine.Settings, ct);
        if (body.Fault is not BodyFault.None)
        {
            await JobsErrors.BadBodyAsync(http.Response, body);
            return;
        }

        var fields = new Fields();
        var report = Reports.Failure(body.Root, "", fields);
        await ReportAsync(http, engine, lease, report, fields, ct);
    }

    /// <summary>An extension: a worker that drains hands the job back, and it is charged nothing.</summary>
    public static Task ReleaseAsync(HttpContext http, BrokerEngine engine, string lease, CancellationToken ct) =>
        ReportAsync(http, engine, lease, StepReport.Returned, new Fields(), ct);

    private static async Task ReportAsync(HttpContext http, BrokerEngine engine, string lease, StepReport report, Fields fields, CancellationToken ct)
    {
        if (fields.Any)
        {
            await JobsErrors.WrongShapeAsync(http.Response, fields.Problems);
            return;
        }

        var verdict = LeaseId.TryParse(lease, out var id) ? (await engine.ReportAsync([new LeaseReport(id, report)], ct))[0] : ReportVerdict.Stale;
        await JobsErrors.EmptyAsync(http.Response, Reports.Status(verdict));
    }

    public static async Task CancelledAsync(HttpContext http, BrokerEngine engine, string workflow, string job, CancellationToken ct)
    {
        var shown = await WorkflowLookup.FindClaimedAsync(engine, workflow, ct);
        await JsonAnswer.SendAsync(
            http.Response, StatusCodes.Status200OK, shown?.IsCancelled(job) ?? false, static (json, cancelled) => json.WriteBooleanValue(cancelled));
    }
}
