using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Changes;
using Broker.Storage.Lanes;
using Broker.Storage.Model;
using Broker.Storage.Reads;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

internal sealed class LogStore(IEngine engine, ChangeHub changes, IPageReads pages) : ILogStore
{
    public async Task PushAsync(LeaseId? lease, IReadOnlyList<LogChunk> chunks, CancellationToken ct)
    {
        if (chunks.Count == 0) return;
        var now = (await engine.NowAsync(ct)).ToMicros();
        var (run, attempt) = lease is { } id ? await OriginOfAsync(id, ct) : (null, null);
        var rows = new List<LogLineRow>(chunks.Count);
        foreach (var chunk in chunks)
        {
            rows.Add(new LogLineRow
            {
                RunId = run,
                Workflow = StoredText.Fitting(chunk.Workflow),
                Step = StoredText.Fitting(chunk.Step),
                Attempt = attempt,
                Level = chunk.Stream == "stderr" ? "error" : "info",
                Category = LogLine.DefaultCategory,
                Message = chunk.DataJson,
                Sequence = chunk.Sequence,
                Stream = StoredText.Fitting(chunk.Stream),
                TimestampMs = chunk.TimestampMs,
                CreatedAt = now,
            });
        }

        await AppendAsync(rows, ct);
    }

    /// <summary>The run that a lease belongs to, also a lost one; the attempt only while the lease is the step's last.</summary>
    private async Task<(long? Run, int? Attempt)> OriginOfAsync(LeaseId lease, CancellationToken ct)
    {
        var (id, step, fence) = (lease.RunId, lease.Step, lease.Fence);
        await using var db = engine.CreateContext();
        var origin = await db.Runs
            .Where(r => r.Id == id)
            .Select(r => new
            {
                r.Id,
                Attempt = db.Steps.Where(s => s.RunId == r.Id && s.Idx == step && s.Fence == fence).Select(s => (int?)s.Attempt).FirstOrDefault(),
            })
            .FirstOrDefaultAsync(ct);
        return (origin?.Id, origin?.Attempt);
    }

    private async Task AppendAsync(List<LogLineRow> rows, CancellationToken ct)
    {
        using (await engine.WriteTurnAsync(ct))
        {
            await using var db = engine.CreateContext();
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            if (db.Database.IsNpgsql())
            {
                var keys = LogLines.LockKeys(rows);
                await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock(hashtextextended(k, 0)) FROM unnest({keys}) AS k", ct);
            }

            db.Logs.AddRange(rows);
            await db.SaveChangesAsync(ct);
            await transaction.CommitAsync(ct);
        }

        LogLines.Signal(changes, rows);
    }

    public async Task<int> PruneStrayAsync(TimeSpan age, int most, CancellationToken ct)
    {
        var before = (await engine.NowAsync(ct) - age).ToMicros();
        using var turn = await engine.WriteTurnAsync(ct);
        await using var db = engine.CreateContext();

        // In the order of the index by run and id: lines of no run stand together there, the oldest first.
        var ids = await db.Logs.Where(l => l.RunId == null).OrderBy(l => l.RunId).ThenBy(l => l.Id).Take(most)
            .Where(l => l.CreatedAt < before).Select(l => l.Id).ToListAsync(ct);
        return ids.Count == 0 ? 0 : await db.Logs.Where(l => ids.Contains(l.Id)).ExecuteDeleteAsync(ct);
    }

    public async Task<IReadOnlyList<LogRow>> ReadAsync(string workflow, string step, long afterId, int limit, CancellationToken ct)
    {
        var (storedWorkflow, storedStep) = (StoredText.Fitting(workflow), StoredText.Fitting(step));
        var rows = await pages.RunAsync(
            db => db.Logs.AsNoTracking()
                .Where(l => l.Workflow == storedWorkflow && l.Step == storedStep && l.Id > afterId)
                .OrderBy(l => l.Id)
                .Take(limit)
                .ToListAsync(ct),
            ct);
        return rows.ConvertAll(RowOf);
    }

    public static LogRow RowOf(LogLineRow row) => new(
        row.Id, row.RunId, row.Workflow, row.Step, row.Attempt, row.Level, row.Category, row.Message, row.Data,
        row.Sequence, row.Stream, row.TimestampMs, Instants.FromMicros(row.CreatedAt));
}
