using Broker.Core.Steps;
using Broker.Storage.Dispatch.Commands;
using Broker.Storage.Tables;

namespace Broker.Storage.Matching;

/// <summary>
/// Leases of steps that were handed over from memory and not recorded yet. A report records the hand-over, or after 500 ms a heartbeat of the broker. A
/// step that is reported sooner costs nothing more. A broker that is killed before leaves the lease marked as granted ahead: if its worker dies as well,
/// the lost lease is charged nothing.
/// </summary>
internal sealed class HandOvers(TimeProvider clock)
{
    /// <summary>Time for the report to come first.</summary>
    public static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(500);

    private readonly Lock gate = new();
    private readonly Dictionary<StepKey, (LeaseId Lease, long Since)> unrecorded = [];
    private volatile int count;

    /// <summary>True: it is the only one.</summary>
    public bool Add(LeaseId lease)
    {
        lock (gate)
        {
            unrecorded[KeyOf(lease)] = (lease, clock.GetTimestamp());
            return (count = unrecorded.Count) == 1;
        }
    }

    /// <summary>The reports of a transaction that is committed.</summary>
    public void Reported(IReadOnlyList<StoreCommand> commands)
    {
        if (count == 0) return;
        lock (gate)
        {
            foreach (var command in commands)
            {
                if (command is ReportCommand { EndedBy: not null, Lease: { } lease }) unrecorded.Remove(lease.Step);
            }

            count = unrecorded.Count;
        }
    }

    /// <summary>Takes out the leases to record now, and the time until the next ones are due.</summary>
    public (List<LeaseId> Leases, TimeSpan? Next) TakeDue() => Take(since => clock.GetElapsedTime(since) >= Delay);

    /// <summary>Takes out all leases.</summary>
    public List<LeaseId> TakeAll() => Take(static _ => true).Leases;

    private (List<LeaseId> Leases, TimeSpan? Next) Take(Predicate<long> isDue)
    {
        lock (gate)
        {
            List<LeaseId> due = [];
            long? oldest = null;
            foreach (var (lease, since) in unrecorded.Values)
            {
                if (isDue(since)) due.Add(lease);
                else oldest = Math.Min(since, oldest ?? since);
            }

            foreach (var lease in due) unrecorded.Remove(KeyOf(lease));
            count = unrecorded.Count;
            return (due, oldest is { } left ? Delay - clock.GetElapsedTime(left) : null);
        }
    }

    private static StepKey KeyOf(LeaseId lease) => new(lease.RunId, lease.Step);
}
