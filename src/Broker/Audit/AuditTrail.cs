using Broker.Auth;
using Broker.Storage.Contracts;

namespace Broker.Audit;

/// <summary>
/// Audit trail: actions with the caller's key. Starts and registrations are noted in memory and written once a second, in one transaction.
/// A start therefore costs no further exchange with the database. A broker that is killed loses the notes of its last second, not the runs.
/// Commands that change or delete runs are written before their answer. Entries of keys are in the key's own transaction.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001", Justification = "The semaphore has no wait handle, and the last flush may come after the container is gone.")]
internal sealed class AuditTrail(IAuditStore store, TimeProvider clock)
{
    /// <summary>Most notes in memory: further callers wait until some are written.</summary>
    public const int Most = 10_000;

    // Bounds how long other writers wait for one transaction.
    private const int Batch = 1_000;

    private readonly Lock gate = new();
    private readonly SemaphoreSlim flushing = new(1);

    // Batches whose transaction failed: each is written as it is, since some of them may be stored.
    private readonly Queue<AuditBatch> unwritten = [];
    private List<AuditEntry> pending = [];
    private int inBatches;

    /// <summary>Notes an action of the present caller; written within a second.</summary>
    public ValueTask NoteAsync(string action, string? workflow = null, string? instanceId = null, string? detail = null)
    {
        var entry = new AuditEntry(clock.GetUtcNow(), Caller.Current.Id, action, workflow, instanceId, detail);
        lock (gate)
        {
            pending.Add(entry);
            if (pending.Count + inBatches < Most) return ValueTask.CompletedTask;
        }

        // The write is not cancelled with the request: the action has happened.
        return new(FlushAsync(CancellationToken.None));
    }

    /// <summary>Returns when it is written. A database that fails at this moment does not undo the action: the note is kept and written later.</summary>
    public async Task RecordAsync(string action, string? workflow = null, string? instanceId = null, string? detail = null)
    {
        await NoteAsync(action, workflow, instanceId, detail);
        try
        {
            await FlushAsync(CancellationToken.None);
        }
        catch (Exception)
        {
            // The background writer has the note now, and logs its own failures.
        }
    }

    /// <summary>Writes the notes so far. When that fails it is kept for the next time.</summary>
    public async Task<int> FlushAsync(CancellationToken ct)
    {
        await flushing.WaitAsync(ct);
        try
        {
            lock (gate)
            {
                foreach (var some in pending.Chunk(Batch)) unwritten.Enqueue(new(some));
                inBatches += pending.Count;
                pending = [];
            }

            var written = 0;
            while (unwritten.TryPeek(out var batch))
            {
                await store.AddAsync(batch, ct);
                unwritten.Dequeue();
                written += batch.Entries.Count;
                lock (gate) inBatches -= batch.Entries.Count;
            }

            return written;
        }
        finally
        {
            flushing.Release();
        }
    }
}
