using Broker.Storage.Dispatch;
using Broker.Storage.Postgres.Caching;
using Broker.Storage.Tables;
using Npgsql;
using static Broker.Storage.Postgres.Parameters;

namespace Broker.Storage.Postgres;

/// <summary>The statements that write what a transaction has decided, in the order in which all transactions write.</summary>
internal static class PostgresWrites
{
    /// <summary>Adds all but heartbeats. Returns the statement that updates steps.</summary>
    /// <param name="batch">Takes the statements.</param>
    /// <param name="changes">Rows that the transaction has decided.</param>
    /// <param name="cached">Rows that it was decided from, if not from those that are stored.</param>
    /// <param name="verifiesInWrite">Whether the statement that writes the runs compares their versions: <see cref="CachedRuns.CanVerifyInWrite"/>.</param>
    public static NpgsqlBatchCommand? Add(BatchBuilder batch, ChangeSet changes, CachedRuns? cached, bool verifiesInWrite)
    {
        NpgsqlBatchCommand? steps = null;
        if (changes.StartKeys.Count > 0) PostgresTables.StartKeys.AddInsert(batch, changes.StartKeys);
        if (changes.Superseded.Count > 0) batch.Add(HotSql.Supersede, Parameter(changes.Superseded.ToArray()));
        if (changes.Runs.Count > 0) AddRuns(batch, changes.Runs, verifiesInWrite ? cached : null);
        if (changes.Steps.Count > 0)
        {
            steps = cached is null
                ? PostgresTables.Steps.AddUpdate(batch, changes.Steps)
                : PostgresTables.Steps.AddUpdateLeased(batch, changes.Steps, Column(changes.Steps, s => cached.Steps[new(s.RunId, s.Idx)].Fence));
        }

        if (changes.Attempts.Count > 0) AddAttempts(batch, changes.Attempts);
        if (changes.NewRuns.Count > 0) PostgresTables.Runs.AddInsert(batch, changes.NewRuns);
        if (changes.NewTags is { } tags) PostgresTables.Tags.Add(batch, tags);
        if (changes.NewSteps.Count > 0) PostgresTables.Steps.AddInsert(batch, changes.NewSteps);
        foreach (var copy in changes.ItemCopies ?? [])
            batch.Add(HotSql.CopyItems, Parameter(copy.To), Parameter(copy.From), Parameter(copy.First), Parameter(copy.End), Parameter(copy.Statuses));
        if (changes.NewInboxEvents.Count > 0) PostgresTables.Inbox.AddInsert(batch, changes.NewInboxEvents);
        if (changes.TakenInboxEvents.Count > 0) PostgresTables.Inbox.AddConsume(batch, changes.TakenInboxEvents);
        if (changes.Events.Count > 0) AddEvents(batch, changes.Events);
        if (changes.Outbox is { } told) PostgresTables.Outbox.Add(batch, told);
        if (changes.DoneItems is { } done) batch.Add(HotSql.DoneItems, Column(done, d => d.BulkId), Column(done, d => d.Seq));
        if (changes.Purged.Count > 0)
        {
            foreach (var statement in HotSql.Purge) batch.Add(statement, Parameter(changes.Purged.ToArray()));
        }

        return steps;
    }

    private static void AddAttempts(BatchBuilder batch, List<StepAttemptRow> attempts)
    {
        batch.Add(HotSql.InsertAttempts,
            Column(attempts, a => a.RunId), Column(attempts, a => a.Idx), Column(attempts, a => a.Attempt), Column(attempts, a => a.Outcome), Column(attempts, a => a.Worker),
            Column(attempts, a => a.GrantedAt), Column(attempts, a => a.EndedAt), Column(attempts, a => a.Error));
        batch.Add(HotSql.DropAttempts, Column(attempts, a => a.RunId), Column(attempts, a => a.Idx));
    }

    private static void AddRuns(BatchBuilder batch, List<RunChange> changes, CachedRuns? cached)
    {
        var runs = changes.ConvertAll(RunRowMapper.Of);
        if (cached is null) PostgresTables.Runs.AddUpdate(batch, runs);
        else PostgresTables.Runs.AddUpdateCached(batch, runs, Column(cached.Runs, r => unchecked((int)r.Version)));
    }

    public static NpgsqlBatchCommand AddLines(BatchBuilder batch, IReadOnlyList<LogLineRow> lines) =>
        batch.Add(HotSql.InsertLines,
            Column(lines, l => l.RunId!.Value), Column(lines, l => l.Workflow), Column(lines, l => l.Step), Column(lines, l => l.Attempt), Column(lines, l => l.Level),
            Column(lines, l => l.Category), Column(lines, l => l.Message), Column(lines, l => l.Data), Column(lines, l => l.Sequence), Column(lines, l => l.Stream),
            Column(lines, l => l.TimestampMs), Column(lines, l => l.CreatedAt), Parameter(LogLines.LockKeys(lines)));

    public static NpgsqlParameter[] LogColumns(IReadOnlyList<LogSize> sizes) =>
        [Column(sizes, s => s.RunId), Column(sizes, s => s.Workflow), Column(sizes, s => s.Step), Column(sizes, s => s.Bytes)];

    public static void AddEvents(BatchBuilder batch, IReadOnlyList<Appended> events)
    {
        var totals = events.CountBy(e => e.RunId).ToDictionary();
        var left = new Dictionary<long, int>(totals);
        var runs = totals.Keys.Order().ToArray();
        batch.Add(HotSql.AppendEvents,
            Parameter(runs), Column(runs, r => (long)totals[r]),
            Column(events, e => e.RunId), Column(events, e => (long)left[e.RunId]--), Column(events, e => e.Event.Type), Column(events, e => e.Event.ValueJson),
            Column(events, e => e.Event.Internal));
    }
}
