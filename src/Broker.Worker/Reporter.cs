using System.Threading.Channels;

namespace Broker.Worker;

/// <summary>
/// Reports results to the broker. Results that finish at the same moment share a request, which claims the next jobs for their slots too.
/// A result is sent again until the broker has answered.
/// </summary>
internal sealed class Reporter(BrokerClient client, WorkerTimings timings, WorkerLog log, Func<bool> mayClaim)
{
    private readonly Channel<Entry> queue = Channel.CreateUnbounded<Entry>(new() { SingleReader = true });

    /// <summary>Sent and not answered. It is sent again as it was: its claim id brings the leases that the lost answer granted.</summary>
    private Batch? unanswered;

    /// <summary>The next job for the slot of this one, if the broker had one at hand.</summary>
    public Task<Claim?> ReportAsync(Claim claim, JobResult result)
    {
        var entry = new Entry(claim, result, Environment.TickCount64 + (long)timings.ReportLimit.TotalMilliseconds);
        if (!queue.Writer.TryWrite(entry)) Settle(entry, "report given up");
        return entry.Next.Task;
    }

    /// <summary>Runs until the token says that no more waiting is allowed; results not delivered by then are given up.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        var pending = new List<Entry>();
        var retry = Retrying.Forever(timings, e => log.Line($"reports not taken, trying again: {e.Message}"));
        try
        {
            while (pending.Count > 0 || await queue.Reader.WaitToReadAsync(ct)) await retry.ExecuteAsync(token => SendAsync(pending, token), ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            queue.Writer.Complete();
            Collect(pending);
            foreach (var entry in pending) Settle(entry, "report given up");
        }
    }

    private async ValueTask SendAsync(List<Entry> pending, CancellationToken ct)
    {
        Collect(pending);
        foreach (var late in pending.Where(e => Environment.TickCount64 > e.Deadline).ToList())
        {
            pending.Remove(late);
            if (unanswered?.Entries.Contains(late) is true) unanswered = null;
            Settle(late, "report given up, broker away for too long");
        }

        if (pending.Count == 0) return;
        if (!client.BatchReports || !await SendBatchAsync(pending, unanswered ?? NewBatch([.. pending]), ct)) await SendOneByOneAsync(pending, ct);
    }

    private void Collect(List<Entry> pending)
    {
        while (queue.Reader.TryRead(out var entry)) pending.Add(entry);
    }

    // No waiting in this claim: it would hold back the answer for the results.
    private Batch NewBatch(IReadOnlyList<Entry> entries) =>
        new(entries, mayClaim() ? client.ClaimFor(entries.Count, waitSecs: 0) : null);

    private async Task<bool> SendBatchAsync(List<Entry> pending, Batch batch, CancellationToken ct)
    {
        unanswered = batch;
        try
        {
            var answer = await client.ReportBatchAsync([.. batch.Entries.Select(e => e.Result)], batch.Claim, ct);
            unanswered = null;
            if (answer is null) return false;

            var accepted = answer.Results.Where(r => r.Accepted).Select(r => r.LeaseId).ToHashSet(StringComparer.Ordinal);
            var claimed = new Queue<Claim>(answer.Claimed ?? []);
            foreach (var entry in batch.Entries)
            {
                pending.Remove(entry);
                SettleAnswered(entry, accepted.Contains(entry.Result.LeaseId), claimed.TryDequeue(out var next) ? next : null);
            }
        }
        catch (BrokerRefusedException) when (batch.Entries.Count > 1)
        {
            // A refused result must not fail the others of its request.
            foreach (var entry in batch.Entries) await SendBatchAsync(pending, NewBatch([entry]), ct);
        }
        catch (BrokerRefusedException refused)
        {
            unanswered = null;
            Refuse(pending, batch.Entries[0], refused);
        }

        return true;
    }

    private async Task SendOneByOneAsync(List<Entry> pending, CancellationToken ct)
    {
        BrokerUnavailableException? outage = null;
        foreach (var entry in pending.ToList())
        {
            try
            {
                var accepted = await client.ReportAsync(entry.Result, ct);
                pending.Remove(entry);
                SettleAnswered(entry, accepted, next: null);
            }
            catch (BrokerRefusedException refused)
            {
                Refuse(pending, entry, refused);
            }
            catch (BrokerUnavailableException e)
            {
                outage = e;
            }
        }

        if (outage is not null) throw outage;
    }

    /// <summary>Outputs that the broker will not take (too large, say) fail the job, with a reason that its owner can see.</summary>
    private void Refuse(List<Entry> pending, Entry entry, BrokerRefusedException refused)
    {
        pending.Remove(entry);
        if (entry.Result.Summary is not null)
        {
            log.Line($"report refused with {refused.Message}, sending it without its summary: {entry.Claim}");
            queue.Writer.TryWrite(entry with { Result = entry.Result with { Summary = null } });
            return;
        }

        if (entry.Result.Outputs is null)
        {
            Settle(entry, $"report refused with {refused.Message}");
            return;
        }

        var failure = JobResult.Failure(entry.Result.LeaseId, $"the broker refused the outputs: {refused.Message}");
        queue.Writer.TryWrite(entry with { Result = failure });
    }

    private void SettleAnswered(Entry entry, bool accepted, Claim? next)
    {
        var outcome = entry.Result.Outputs is null ? "failed" : "succeeded";
        Settle(entry, accepted ? outcome : $"{outcome}, but the lease was gone", next);
    }

    private void Settle(Entry entry, string outcome, Claim? next = null)
    {
        log.Line($"{outcome}: {entry.Claim}");
        entry.Next.TrySetResult(next);
    }

    private sealed record Entry(Claim Claim, JobResult Result, long Deadline)
    {
        public TaskCompletionSource<Claim?> Next { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed record Batch(IReadOnlyList<Entry> Entries, JobClaim? Claim);
}
