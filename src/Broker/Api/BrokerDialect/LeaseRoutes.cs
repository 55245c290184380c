using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Engine;
using Broker.Http;
using Broker.Storage.Contracts;

namespace Broker.Api.BrokerDialect;

/// <summary>Extensions for a worker that holds a step, beside its report.</summary>
internal static class LeaseRoutes
{
    public static async Task PublishAsync(HttpContext http)
    {
        if (await WorkerAsync(http) is not { } worker || await BrokerRequests.ReadAsync(http, ReportReader.Publication) is not { } said) return;

        var engine = http.Engine();
        var accepted = await FindAsync(engine, worker, said.Key, http.RequestAborted) is { } lease
            && await engine.PublishAsync(lease, said.Events, http.RequestAborted);
        await (accepted ? BrokerResponses.NoContent(http) : NotHeld(http, said.Key));
    }

    public static async Task ReleaseAsync(HttpContext http)
    {
        if (await WorkerAsync(http) is not { } worker || await BrokerRequests.ReadAsync(http, ReportReader.KeyOf) is not { } key) return;

        var engine = http.Engine();
        var accepted = await FindAsync(engine, worker, key, http.RequestAborted) is { } lease
            && await engine.ReportAsync([new LeaseReport(lease, StepReport.Returned)], http.RequestAborted) is [ReportVerdict.Accepted];
        await (accepted ? BrokerResponses.NoContent(http) : NotHeld(http, key));
    }

    public static async Task HeartbeatAsync(HttpContext http)
    {
        if (await WorkerAsync(http) is not { } worker || await BrokerRequests.ReadAsync(http, ReportReader.Keys) is not { } keys) return;

        var engine = http.Engine();
        List<NamedStep> held = [.. keys.Select(Named)];
        var verdicts = await engine.HeartbeatAsync(worker, held, http.RequestAborted);
        List<NamedStep> gone = [.. held.Where((_, i) => verdicts[i] is HeartbeatVerdict.Gone)];
        var losses = gone.Count == 0 ? [] : await engine.LossesAsync(gone, http.RequestAborted);
        DrainNotice.Offer(http.Response, engine, worker);
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, BrokerStatuses.Of(keys, verdicts, losses), BrokerJson.Default.HeldStepVerdictArray);
    }

    /// <summary>The calling worker; null when the error answer has been sent.</summary>
    private static async Task<string?> WorkerAsync(HttpContext http)
    {
        if (!StepQuery.TryRead(http, out var query, out var answer))
        {
            await answer;
            return null;
        }

        if (await http.Engine().SeenAsync(query.WorkerId, http.RequestAborted)) return query.WorkerId;
        await StepRoutes.UnknownWorker(http, query.WorkerId);
        return null;
    }

    /// <summary>The lease that the worker holds on the step; null when it holds none, or another one than it names.</summary>
    private static async Task<LeaseId?> FindAsync(BrokerEngine engine, string worker, ReportedStep key, CancellationToken ct) =>
        await engine.FindLeaseAsync(worker, key.Workflow, key.Instance, key.Step, ct) is { } held && held == (key.Lease ?? held) ? held : null;

    private static NamedStep Named(ReportedStep key) => new(key.Workflow, key.Instance, key.Step, key.Lease) { ProgressJson = key.ProgressJson };

    private static async Task NotHeld(HttpContext http, ReportedStep key)
    {
        var loss = (await http.Engine().LossesAsync([Named(key)], http.RequestAborted))[0];
        await BrokerResponses.Fail(
            http, StatusCodes.Status409Conflict, $"this worker does not hold the step '{key.Step}' of instance '{key.Instance}': {LostLease.Text(loss)}", LostLease.Code(loss));
    }
}
