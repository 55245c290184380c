using Broker.Auth;
using Broker.Core.Runs;
using Broker.Storage.Contracts;

namespace Broker.Operators;

internal sealed partial class OperatorService
{
    // Leases that are taken from a worker in one transaction.
    private const int ReleasedAtOnce = 200;

    public async Task<WorkflowStarts> PauseStartsAsync(string workflow, HoldCommand command, CancellationToken ct)
    {
        CheckReason(command.Reason);
        _ = await engine.DefinedAsync(workflow, ct) ?? throw OperatorException.NotFound($"There is no workflow '{workflow}'.");
        await holds.PutAsync(HoldKind.Starts, workflow, Caller.Current.Id, command.Reason, ct);
        await trail.RecordAsync("pause_starts", workflow, detail: command.Reason);
        return new(workflow, InfoOf(holds.OfStarts(workflow)));
    }

    public async Task<WorkflowStarts> ResumeStartsAsync(string workflow, HoldCommand command, CancellationToken ct)
    {
        CheckReason(command.Reason);
        if (!Caller.Current.Knows(workflow)) throw OperatorException.NotFound($"There is no workflow '{workflow}'.");

        // Also for a workflow that is gone: its order must not outlive it.
        if (await holds.RemoveAsync(HoldKind.Starts, workflow, ct)) await trail.RecordAsync("resume_starts", workflow, detail: command.Reason);
        else _ = await engine.DefinedAsync(workflow, ct) ?? throw OperatorException.NotFound($"There is no workflow '{workflow}'.");
        return new(workflow, InfoOf(holds.OfStarts(workflow)));
    }

    public async Task<MaintenanceState> BeginMaintenanceAsync(HoldCommand command, CancellationToken ct)
    {
        CheckReason(command.Reason);
        await holds.PutAsync(HoldKind.Maintenance, Hold.Broker, Caller.Current.Id, command.Reason, ct);
        await trail.RecordAsync("begin_maintenance", detail: command.Reason);
        return new(InfoOf(holds.Maintenance));
    }

    public async Task<MaintenanceState> EndMaintenanceAsync(HoldCommand command, CancellationToken ct)
    {
        CheckReason(command.Reason);
        if (await holds.RemoveAsync(HoldKind.Maintenance, Hold.Broker, ct)) await trail.RecordAsync("end_maintenance", detail: command.Reason);
        return new(InfoOf(holds.Maintenance));
    }

    public async Task<WorkerOrder> DrainWorkerAsync(string worker, HoldCommand command, CancellationToken ct)
    {
        CheckReason(command.Reason);
        await DemandWorkerAsync(worker, ct);
        await holds.PutAsync(HoldKind.Worker, worker, Caller.Current.Id, command.Reason, ct);
        await trail.RecordAsync("drain_worker", detail: DetailOf(worker, command));
        return new(worker, InfoOf(holds.OfWorker(worker)), 0);
    }

    public async Task<WorkerOrder> UndrainWorkerAsync(string worker, HoldCommand command, CancellationToken ct)
    {
        CheckReason(command.Reason);
        await DemandWorkerAsync(worker, ct);
        if (await holds.RemoveAsync(HoldKind.Worker, worker, ct)) await trail.RecordAsync("undrain_worker", detail: DetailOf(worker, command));
        return new(worker, InfoOf(holds.OfWorker(worker)), 0);
    }

    public async Task<WorkerOrder> ReleaseWorkerAsync(string worker, HoldCommand command, CancellationToken ct)
    {
        CheckReason(command.Reason);
        await DemandWorkerAsync(worker, ct);
        var released = 0;
        while (true)
        {
            var (state, _) = await work.WorkerAsync(worker, ReleasedAtOnce, ct);
            if (state is not { Held.Count: > 0 }) break;
            var verdicts = await engine.ReportAsync([.. state.Held.Select(held => new LeaseReport(held.Lease, StepReport.Returned))], ct);
            var taken = verdicts.Count(verdict => verdict is ReportVerdict.Accepted);
            released += taken;

            // Without any it would take the same leases again: their worker has reported them meanwhile.
            if (taken == 0 || state.Leases <= ReleasedAtOnce) break;
        }

        await trail.RecordAsync("release_worker", detail: DetailOf(worker, command));
        return new(worker, InfoOf(holds.OfWorker(worker)), released);
    }

    private async Task DemandWorkerAsync(string id, CancellationToken ct)
    {
        var (worker, _) = await work.WorkerAsync(id, 0, ct);
        if (worker is null || !Knows(worker)) throw OperatorException.NotFound($"There is no worker '{id}'.");
    }

    private static string DetailOf(string worker, HoldCommand command) => command.Reason is null ? worker : $"{worker} {command.Reason}";

    private static HoldInfo? InfoOf(Hold? hold) => hold is null ? null : new(hold.Name, hold.At, hold.KeyId, hold.Reason);
}
