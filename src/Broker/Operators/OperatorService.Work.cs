using Broker.Auth;
using Broker.Storage.Contracts;

namespace Broker.Operators;

internal sealed partial class OperatorService
{
    private const int ListedLeases = 5;
    private const int WorkersAtOnce = 200;

    public async Task<Listing<WorkQueue>> ListQueuesAsync(CancellationToken ct)
    {
        var (queues, now) = await work.QueuesAsync(Caller.Current.Limit, SilentAfter, ct);
        return new(
            [
                .. queues.OrderByDescending(queue => queue.Depth).ThenBy(queue => queue.Id).Select(queue => new WorkQueue(
                    queue.Id, queue.Workflow, queue.Version, queue.Labels, queue.Priority, new(queue.Depth, queue.IsCapped),
                    queue.OldestDue is { } due ? Math.Max(0, (long)(now - due).TotalMilliseconds) : null, queue.Leased, queue.WorkersAble)),
            ],
            null, now);
    }

    public async Task<Listing<WorkerInfo>> ListWorkersAsync(WorkerQuery query, CancellationToken ct)
    {
        var list = ListPage.Read(query.Cursor, $"workers {query.Status} {query.Workflow} {query.Busy} {string.Join(',', query.Labels)}", 1, isNamed: true);
        WorkerPlace? after = list.Place is { } place ? new(InstantOf(place.Numbers[0]), place.Name) : null;
        var found = new List<WorkerInfo>();
        for (var examined = 0; ; examined += WorkersAtOnce)
        {
            var (page, now) = await work.WorkersAsync(after, WorkersAtOnce, ListedLeases, ct, list.IsBackward);
            foreach (var worker in page)
            {
                var info = InfoOf(worker, now);
                if (!Knows(worker) || !Fits(info, query)) continue;
                if (found.Count == query.Limit) return list.Of(found, PlaceOf, worker => worker, hasMore: true, now);
                found.Add(info);
            }

            if (page.Count < WorkersAtOnce) return list.Of(found, PlaceOf, worker => worker, hasMore: false, now);
            after = new(page[^1].RegisteredAt, page[^1].Id);
            if (examined + WorkersAtOnce >= Limits.ExaminedRows) return list.Of(found, PlaceOf, worker => worker, PlaceOf(InfoOf(page[^1], now)), now, isComplete: false);
        }

        static ListPlace PlaceOf(WorkerInfo worker) => new(worker.Id, MicrosOf(worker.RegisteredAt));
    }

    public async Task<WorkerInfo> GetWorkerAsync(string id, CancellationToken ct)
    {
        var (worker, now) = await work.WorkerAsync(id, Limits.LargestPage, ct);
        return worker is not null && Knows(worker) ? InfoOf(worker, now) : throw OperatorException.NotFound($"There is no worker '{id}'.");
    }

    // For a limited caller those that serve no other workflows than its own.
    private static bool Knows(WorkerState worker) =>
        Caller.Current is not { Workflows: not null } limited
        || (worker.Workflows.Count > 0 && (worker.IsLimited || worker.Kind is WorkerKind.Registered) && worker.Workflows.All(limited.Knows));

    private static bool Fits(WorkerInfo worker, WorkerQuery query) =>
        (query.Status is null || worker.Status == query.Status)
        && query.Labels.All(worker.Labels.Contains)
        && (query.Workflow is null || worker.Workflows.Contains(query.Workflow))
        && (!query.Busy || worker.Leases > 0);

    private WorkerInfo InfoOf(WorkerState worker, DateTimeOffset now) => new()
    {
        Id = worker.Id,
        Kind = worker.Kind switch
        {
            WorkerKind.Labelled => "labelled",
            WorkerKind.Registered => "registered",
        },
        Status = now - worker.SeenAt <= SilentAfter(worker.Kind) ? "fresh" : "silent",
        Labels = worker.Labels,
        Workflows = worker.Workflows,
        RegisteredAt = worker.RegisteredAt,
        SeenAt = worker.SeenAt,
        Drained = InfoOf(holds.OfWorker(worker.Id)),
        Leases = worker.Leases,
        Holds =
        [
            .. worker.Held.Select(held => new HeldLease(
                held.Step.Run.Workflow, held.Step.Run.InstanceId, held.Step.Run.Number, held.Step.Step.Name, held.Step.State.Attempt, held.Lease.ToString(), held.Step.State.GrantedAt,
                held.Step.State.ExpiresAt)),
        ],
        Last = worker.LastTask is { } last ? new(last.Workflow, last.InstanceId, last.Step, last.Success) : null,
    };

    public async Task<Listing<AuditRecord>> ListAuditAsync(AuditQuery query, CancellationToken ct)
    {
        var list = ListPage.Read(query.Cursor, $"audit {query.Action} {query.Workflow} {query.Key} {query.Since:O}", 1);
        await trail.FlushAsync(ct);
        var page = await audit.ReadAsync(new(query.Action, query.Workflow, query.Key, query.Since, list.Place?.Numbers[0]), query.Limit, ct, list.IsBackward);
        return list.Of(
            page.Rows, entry => new(entry.Id), entry => new AuditRecord(entry.Id, entry.At, entry.Key, entry.Action, entry.Workflow, entry.InstanceId, entry.Detail), page.HasMore, engine.Now);
    }
}
