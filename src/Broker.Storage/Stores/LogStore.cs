using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Contracts;
using Broker.Storage.Signals;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

internal sealed class LogStore(IDatabase database, SignalHub signals, IPageReads pages, LogLimit limit) : ILogStore
{
    public async Task PushAsync(LeaseId? lease, IReadOnlyList<LogChunk> chunks, CancellationToken ct)
    {
        if (chunks.Count == 0) return;
        var now = (await database.NowAsync(ct)).ToMicros();
        var (run, attempt) = lease is { } id ? await OriginOfAsync(id, ct) : (null, null);
        var rows = new List<LogLineRow>(chunks.Count);
        foreach (var chunk in chunks)
        {
            rows.Add(new LogLineRow
            {
                RunId = run,
                Workflow = StorableText.Fitting(chunk.Workflow),
                Step = StorableText.Fitting(chunk.Step),
                Attempt = attempt,
                Level = chunk.Stream == "stderr" ? "error" : "info",
                Category = LogLine.DefaultCategory,
                Message = chunk.DataJson,
                Sequence = chunk.Sequence,
                Stream = StorableText.Fitting(chunk.Stream),
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
        await using var db = database.CreateContext();
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
        using (await database.WriteTurnAsync(ct))
        {
            await using var db = database.CreateContext();
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            await FitAsync(db, rows, ct);
            if (rows.Count == 0) return;
            await database.LockAsync(db, LogLines.LockKeys(rows), ct);
            db.Logs.AddRange(rows);
            await db.SaveChangesAsync(ct);
            await transaction.CommitAsync(ct);
        }

        signals.SignalLogs(rows.Select(row => (row.Workflow, row.Step)));
    }

    // Before the locks that order lines: as in the transaction of a report, which numbers its lines last.
    private async Task FitAsync(BrokerDb db, List<LogLineRow> rows, CancellationToken ct)
    {
        var sizes = limit.Sizes(rows);
        var charged = new List<long?>(sizes.Count);
        foreach (var size in sizes) charged.Add(await db.ChargeLogAsync(size, ct));
        foreach (var (run, workflow, step, held) in limit.Fit(rows, sizes, charged))
        {
            await db.LogSizes.Where(s => s.RunId == run && s.Workflow == workflow && s.Step == step)
                .ExecuteUpdateAsync(set => set.SetProperty(s => s.Bytes, held).SetProperty(s => s.IsCut, true), ct);
        }
    }

    public async Task<int> PruneStrayAsync(TimeSpan age, int most, CancellationToken ct)
    {
        var before = (await database.NowAsync(ct) - age).ToMicros();
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);

        // In the order of the index by run and id: lines of no run stand together there, the oldest first.
        var gone = await db.Logs.Where(l => l.RunId == null).OrderBy(l => l.RunId).ThenBy(l => l.Id).Take(most).Where(l => l.CreatedAt < before)
            .Select(l => new { l.Id, l.Workflow, l.Step, Bytes = BrokerDb.Octets(l.Message) + (l.Data == null ? 0 : BrokerDb.Octets(l.Data)) }).ToListAsync(ct);
        var ids = gone.ConvertAll(l => l.Id);

        // Fewer: another broker is at the same lines, and takes their sizes off as well.
        if (ids.Count == 0 || await db.Logs.Where(l => ids.Contains(l.Id)).ExecuteDeleteAsync(ct) < ids.Count) return 0;
        foreach (var job in gone.GroupBy(l => (l.Workflow, l.Step)))
        {
            var (workflow, step) = job.Key;
            var bytes = job.Sum(l => LogLimit.SizeOf(l.Bytes));
            var size = db.LogSizes.Where(s => s.RunId == LogSizeRow.NoRun && s.Workflow == workflow && s.Step == step);
            await size.ExecuteUpdateAsync(set => set.SetProperty(s => s.Bytes, s => s.Bytes - bytes).SetProperty(s => s.IsCut, false), ct);
            await size.Where(s => s.Bytes <= 0).ExecuteDeleteAsync(ct);
        }

        await transaction.CommitAsync(ct);
        return ids.Count;
    }

    public Task<IReadOnlyList<LogRow>> ReadAsync(string workflow, string step, long afterId, int limit, CancellationToken ct)
    {
        var (storedWorkflow, storedStep) = (StorableText.Fitting(workflow), StorableText.Fitting(step));
        return ReadAsync(lines => lines.Where(l => l.Workflow == storedWorkflow && l.Step == storedStep && l.Id > afterId), limit, ct);
    }

    public Task<IReadOnlyList<LogRow>> ReadAsync(long runId, string step, long afterId, int limit, CancellationToken ct)
    {
        var stored = StorableText.Fitting(step);
        return ReadAsync(lines => lines.Where(l => l.RunId == runId && l.Step == stored && l.Id > afterId), limit, ct);
    }

    public async Task<string?> SummaryAsync(long runId, string step, CancellationToken ct)
    {
        var stored = StorableText.Fitting(step);
        await using var db = database.CreateContext();
        return await db.Logs.Where(l => l.RunId == runId && l.Step == stored && l.Category == LogLine.SummaryCategory)
            .OrderByDescending(l => l.Id).Select(l => l.Message).FirstOrDefaultAsync(ct);
    }

    private async Task<IReadOnlyList<LogRow>> ReadAsync(Func<IQueryable<LogLineRow>, IQueryable<LogLineRow>> wanted, int limit, CancellationToken ct)
    {
        var rows = await pages.RunAsync(db => wanted(db.Logs.AsNoTracking()).Where(l => l.Category != LogLine.SummaryCategory).OrderBy(l => l.Id).Take(limit).ToListAsync(ct), ct);
        return rows.ConvertAll(RowOf);
    }

    public static LogRow RowOf(LogLineRow row) => new(
        row.Id, row.RunId, row.Workflow, row.Step, row.Attempt, row.Level, row.Category, row.Message, row.Data,
        row.Sequence, row.Stream, row.TimestampMs, Instants.FromMicros(row.CreatedAt));
}
