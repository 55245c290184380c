using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Catalog;
using Broker.Storage.Dispatch;
using Broker.Storage.Dispatch.Commands;
using Broker.Storage.Tables;
using Microsoft.Data.Sqlite;

namespace Broker.Storage.Sqlite;

/// <summary>
/// Transactions on one SQLite connection. There is a single writer, so the transaction itself is the lock; rows go one by one through
/// prepared commands, since here an exchange costs nothing. The clock is the host's, and never stands still between two transactions,
/// so that what was queued later is handed out later.
/// </summary>
internal sealed class SqliteBatchTransaction(SqliteConnection connection, DefinitionCache definitions, SqliteClock clock) : IBatchTransaction
{
    private readonly Dictionary<string, SqliteStatement> prepared = new(StringComparer.Ordinal);

    // Values of one row after the other: a transaction runs on one thread at a time.
    private SqliteValue[] rowValues = [];
    private bool begun;

    public (long Id, int DefinitionId)[] Resolve(IReadOnlyList<RunName> names)
    {
        Begin();
        var found = new (long, int)[names.Count];
        for (var i = 0; i < found.Length; i++)
        {
            // The provider writes U+FFFD for what UTF-8 has no word for: that could be the name of another run.
            if (!StorableText.Fits(names[i].Workflow) || !StorableText.Fits(names[i].InstanceId)) continue;
            using var reader = Query(SqliteSql.Resolve, names[i].Workflow, names[i].InstanceId, names[i].Number);
            if (reader.Read()) found[i] = (reader.GetInt64(0), reader.GetInt32(1));
        }

        return found;
    }

    public IReadOnlyList<LeaseRef> Granted(IReadOnlyList<ClaimCommand> claims)
    {
        Begin();
        var granted = new List<LeaseRef>();
        foreach (var claim in claims)
        {
            foreach (var fence in claim.Fences!)
            {
                using var reader = Query(SqliteSql.Granted, fence, claim.Request.WorkerId);
                while (reader.Read()) granted.Add(new(new StepKey(reader.GetInt64(0), reader.GetInt32(1)), fence, claim.Request.WorkerId));
            }
        }

        return granted;
    }

    public Loaded Begin(IReadOnlyList<long> runs, IReadOnlyList<StepKey> steps, bool locksSteps)
    {
        Begin();
        var loaded = new List<LoadedRun>(runs.Count);
        foreach (var run in runs)
        {
            using var reader = Query(SqliteSql.Run, run);
            if (reader.Read()) loaded.Add(RunRowMapper.Load(SqliteTables.Runs.Read(reader), definitions));
        }

        var found = new List<(long RunId, StepState State)>(steps.Count);
        foreach (var step in steps)
        {
            using var reader = Query(SqliteSql.Step, step.RunId, step.Index);
            if (reader.Read()) found.Add(StepRowMapper.KeyedStateOf(SqliteTables.Steps.Read(reader)));
        }

        return new Loaded(loaded, found.ToLookup(s => s.RunId, s => s.State), clock.Tick());
    }

    /// <summary>Null: reading the file costs less than checking cached rows.</summary>
    public Loaded? TryLoadCached(IReadOnlyList<LeaseRef> leases) => null;

    public DateTimeOffset Now() => clock.Tick();

    public ILookup<long, StepState> ActiveSteps(IReadOnlyList<long> runs, int below = int.MaxValue)
    {
        var steps = new List<(long RunId, StepState State)>();
        foreach (var run in runs)
        {
            using var reader = Query(SqliteSql.Active, run, below);
            while (reader.Read()) steps.Add(StepRowMapper.KeyedStateOf(SqliteTables.Steps.Read(reader)));
        }

        return steps.ToLookup(s => s.RunId, s => s.State);
    }

    public ILookup<long, StepState> Steps(IReadOnlyList<StepKey> steps)
    {
        var found = new List<(long RunId, StepState State)>(steps.Count);
        foreach (var step in steps)
        {
            using var reader = Query(SqliteSql.Step, step.RunId, step.Index);
            if (reader.Read()) found.Add(StepRowMapper.KeyedStateOf(SqliteTables.Steps.Read(reader)));
        }

        return found.ToLookup(s => s.RunId, s => s.State);
    }

    public IReadOnlyList<int> MissingItems(long runId, int first, int end, int most)
    {
        // The gaps between the finished ones, read no further than the last that is asked for.
        var missing = new List<int>();
        var next = first;
        using var reader = Query(SqliteSql.FinishedItems, runId, first, end);
        while (missing.Count < most && next < end)
        {
            var finished = reader.Read() ? reader.GetInt32(0) : end;
            for (; next < finished && missing.Count < most; next++) missing.Add(next);
            if (next == finished) next++;
        }

        return missing;
    }

    public IReadOnlyDictionary<int, string?> ItemResults(long runId, int first, int end)
    {
        var results = new Dictionary<int, string?>();
        using var reader = Query(SqliteSql.ItemResults, runId, first, end);
        while (reader.Read()) results[reader.GetInt32(0)] = reader.Text(1);
        return results;
    }

    public ILookup<long, StepState> AllSteps(IReadOnlyList<long> runs)
    {
        var steps = new List<(long RunId, StepState State)>();
        foreach (var run in runs)
        {
            using var reader = Query(SqliteSql.All, run);
            while (reader.Read()) steps.Add(StepRowMapper.KeyedStateOf(SqliteTables.Steps.Read(reader)));
        }

        return steps.ToLookup(s => s.RunId, s => s.State);
    }

    public ILookup<long, int> ActiveIndexes(IReadOnlyList<long> runs)
    {
        var active = new List<(long RunId, int Index)>();
        foreach (var run in runs)
        {
            using var reader = Query(SqliteSql.ActiveIndexes, run);
            while (reader.Read()) active.Add((run, reader.GetInt32(0)));
        }

        return active.ToLookup(a => a.RunId, a => a.Index);
    }

    public ILookup<StepKey, InboxEvent> TakeInboxEvents(IReadOnlyList<(StepKey Step, string Type)> accepted)
    {
        var now = clock.Now.ToMicros();
        foreach (var (step, type) in accepted) Execute(SqliteSql.TakeInbox, now, step.RunId, step.Index, type);
        var taken = new List<(StepKey Step, InboxEvent Message)>();
        foreach (var step in accepted.Select(a => a.Step).Distinct())
        {
            using var reader = Query(SqliteSql.TakenInbox, step.RunId, step.Index);
            while (reader.Read()) taken.Add((step, InboxRowMapper.EventOf(SqliteTables.Inbox.Read(reader))));
        }

        return taken.ToLookup(t => t.Step, t => t.Message);
    }

    public ILookup<long, InboxEvent> InboxEvents(IReadOnlyList<long> runs)
    {
        var inbox = new List<(long RunId, InboxEvent Message)>();
        foreach (var run in runs)
        {
            using var reader = Query(SqliteSql.Inbox, run);
            while (reader.Read()) inbox.Add((run, InboxRowMapper.EventOf(SqliteTables.Inbox.Read(reader))));
        }

        return inbox.ToLookup(m => m.RunId, m => m.Message);
    }

    public bool[] KnownEvents(IReadOnlyList<(long RunId, string ClientId)> ids) => [.. ids.Select(i => Number(SqliteSql.KnownEvent, i.RunId, i.ClientId) is not null)];

    public IReadOnlyList<(StepKey Step, string? Result)> Results(IReadOnlyList<StepKey> steps)
    {
        var results = new List<(StepKey, string?)>(steps.Count);
        foreach (var step in steps)
        {
            using var reader = Query(SqliteSql.Result, step.RunId, step.Index);
            if (reader.Read()) results.Add((step, reader.Text(0)));
        }

        return results;
    }

    public IReadOnlyList<long> RunsOf(IReadOnlyList<(string Workflow, string InstanceId)> instances)
    {
        var ids = new List<long>();
        foreach (var (workflow, instanceId) in instances)
        {
            using var reader = Query("SELECT id FROM run WHERE workflow = @p0 AND instance_id = @p1 ORDER BY id", workflow, instanceId);
            while (reader.Read()) ids.Add(reader.GetInt64(0));
        }

        return ids;
    }

    public IReadOnlyDictionary<long, Inherited> Inherited(IReadOnlyList<long> runs)
    {
        var heritage = new Dictionary<long, Inherited>(runs.Count);
        foreach (var run in runs)
        {
            using var reader = Query(SqliteSql.Inherited, run);
            if (reader.Read()) heritage[run] = SqliteTables.Heritage.Read(reader).Heritage;
        }

        return heritage;
    }

    public void AppendEvents(IReadOnlyList<Appended> events)
    {
        var now = clock.Now.ToMicros();
        foreach (var (runId, published) in events)
        {
            Execute(SqliteSql.InsertEvent, SqliteTables.Events.Values, new EventRow
            {
                RunId = runId,
                Seq = Number(SqliteSql.NextEvent, runId)!.Value - 1,
                Type = published.Type,
                Value = published.ValueJson,
                Internal = published.Internal,
                CreatedAt = now,
            });
        }
    }

    public (IReadOnlyList<ClaimedRow> Claimed, IReadOnlyList<RenewedLease?> Heartbeats) Write(
        ChangeSet changes, IReadOnlyList<ClaimGroup> claims)
    {
        var renewed = new RenewedLease?[changes.Heartbeats.Count];
        var claimed = new List<ClaimedRow>();
        if (changes.IsEmpty && claims.Count == 0) return (claimed, renewed);

        Begin();
        foreach (var step in changes.NewSteps) clock.AtLeast(step.QueuedAt);
        foreach (var step in changes.Steps) clock.AtLeast(step.QueuedAt);

        // Events and resumes too. A later event comes later in the inbox, and a later grant after the resume, also while the host's clock stands or goes back.
        foreach (var inbox in changes.NewInboxEvents) clock.AtLeast(inbox.Id);
        foreach (var run in changes.Runs) clock.AtLeast(run.State.UpdatedAt.ToMicros());
        var now = clock.Tick().ToMicros();
        Write(changes);
        AppendEvents(changes.Events);
        for (var i = 0; i < renewed.Length; i++) renewed[i] = Renew(changes.Heartbeats[i], now);

        foreach (var group in claims)
        {
            if (group.Limit is null) Claim(group, now, claimed);
            else new LimitedClaimScan(group, new SqliteLimitedStepReader(this, now, claimed)).Run();
        }

        return (claimed, renewed);
    }

    private RenewedLease? Renew(LeaseRenewal renewal, long now)
    {
        var (step, fence, worker) = renewal.Lease;
        using var found = Query(SqliteSql.Heartbeat, now, step.RunId, step.Index, fence, worker, renewal.Progress);
        if (!found.Read()) return null;
        return new((StepStatus)found.GetInt16(0), !found.IsDBNull(1) && (RunPhase)found.GetInt16(1) is RunPhase.Pausing or RunPhase.Paused);
    }

    public void Confirm()
    {
        // All that can be read is on the disk.
    }

    public IReadOnlyList<StartKeyRow> StartKeys(IReadOnlyList<string> keys)
    {
        Begin();
        var found = new List<StartKeyRow>();
        foreach (var key in keys)
        {
            using var reader = Query(SqliteSql.StartKey, key);
            if (reader.Read()) found.Add(SqliteTables.StartKeys.Read(reader));
        }

        return found;
    }

    private void Write(ChangeSet changes)
    {
        foreach (var key in changes.StartKeys) Execute(SqliteSql.InsertStartKey, SqliteTables.StartKeys.Values, key);
        foreach (var id in changes.Superseded) Execute(SqliteSql.Supersede, id);
        foreach (var change in changes.Runs) Execute(SqliteSql.UpdateRun, SqliteTables.Runs.ChangingValues, RunRowMapper.Of(change));
        foreach (var step in changes.Steps) Execute(SqliteSql.UpdateStep, SqliteTables.Steps.Values, step);
        foreach (var attempt in changes.Attempts)
        {
            Execute(
                SqliteSql.InsertAttempt, attempt.RunId, attempt.Idx, attempt.Attempt, attempt.Outcome, attempt.Worker, attempt.GrantedAt, attempt.EndedAt, attempt.Error);
            Execute(SqliteSql.DropAttempts, attempt.RunId, attempt.Idx);
        }

        foreach (var run in changes.NewRuns) Execute(SqliteSql.InsertRun, SqliteTables.Runs.Values, run);
        foreach (var tag in changes.NewTags ?? []) Execute(SqliteSql.InsertTag, SqliteTables.Tags.Values, tag);
        foreach (var step in changes.NewSteps) Execute(SqliteSql.InsertStep, SqliteTables.Steps.InsertedValues, step);
        foreach (var copy in changes.ItemCopies ?? [])
        {
            foreach (var status in copy.Statuses) Execute(SqliteSql.CopyItems, copy.To, copy.From, copy.First, copy.End, status);
        }

        foreach (var arrived in changes.NewInboxEvents) Execute(SqliteSql.InsertInbox, SqliteTables.Inbox.ArrivingValues, arrived);
        foreach (var consumed in changes.TakenInboxEvents) Execute(SqliteSql.ConsumeInbox, SqliteTables.Inbox.ConsumedValues, consumed);
        foreach (var entry in changes.Outbox ?? []) Execute(SqliteSql.InsertOutbox, SqliteTables.Outbox.Values, entry);
        foreach (var (bulkId, seq) in changes.DoneItems ?? []) Execute(SqliteSql.DoneItem, bulkId, seq);
        foreach (var id in changes.Purged)
        {
            foreach (var statement in SqliteSql.Purge) Execute(statement, id);
        }
    }

    // Priorities first; within one priority the queues are merged by order, one step at a time: the index gives each queue's first row.
    private void Claim(ClaimGroup group, long now, List<ClaimedRow> claimed)
    {
        var slot = 0;
        foreach (var priority in group.Queues.GroupBy(q => q.Priority))
        {
            while (slot < group.Slots.Count && First(priority, now) is { } first)
            {
                claimed.Add(Lease(first, group.Slots[slot], now));
                slot++;
            }
        }
    }

    /// <summary>Leases a ready step.</summary>
    public ClaimedRow Lease(StepKey ready, ClaimSlot slot, long now)
    {
        using var step = Query(SqliteSql.Lease, slot.Worker, slot.Fence, slot.LeaseSecs, now, slot.Claim.IsAhead, ready.RunId, ready.Index);
        using var run = Query(SqliteSql.ClaimedRun, ready.RunId);
        step.Read();
        run.Read();
        return ClaimedRow.Of(SqliteTables.Claimed.Read(step), SqliteTables.Runs.ReadAssigned(run), slot);
    }

    private StepKey? First(IEnumerable<QueueRow> queues, long now)
    {
        (long Rank, long Due, int Index, long RunId)? best = null;
        foreach (var queue in queues)
        {
            using var reader = Query(SqliteSql.First, queue.Id, now);
            if (!reader.Read()) continue;
            var found = (reader.GetInt64(2), reader.GetInt64(3), reader.GetInt32(1), reader.GetInt64(0));
            if (best is null || found.CompareTo(best.Value) < 0) best = found;
        }

        return best is { } first ? new(first.RunId, first.Index) : null;
    }

    public IReadOnlyList<long?> ChargeLogs(IReadOnlyList<LogSize> sizes)
    {
        Begin();
        var after = new List<long?>(sizes.Count);
        foreach (var size in sizes)
        {
            using var reader = Query(SqliteSql.ChargeLog, size.RunId, size.Workflow, size.Step, size.Bytes);
            after.Add(reader.Read() ? reader.GetInt64(0) : null);
        }

        return after;
    }

    public void CutLogs(IReadOnlyList<LogSize> sizes)
    {
        foreach (var size in sizes) Execute(SqliteSql.CutLog, size.RunId, size.Workflow, size.Step, size.Bytes);
    }

    public IReadOnlyList<(StepKey Step, string? Result)> Commit(IReadOnlyList<StepKey> upstream, IReadOnlyList<LogLineRow> lines)
    {
        if (lines.Count > 0) Begin();
        foreach (var line in lines) Execute(SqliteSql.InsertLine, SqliteTables.Lines.Values, line);
        var results = Results(upstream);
        if (begun) Execute("COMMIT");
        begun = false;
        return results;
    }

    public void Rollback()
    {
        if (begun) Execute("ROLLBACK");
        begun = false;
    }

    public void Dispose()
    {
        try
        {
            // The connection goes back to a pool: a transaction left open there would block all writers.
            Rollback();
        }
        catch (SqliteException)
        {
            // The fault that ended the transaction has rolled it back already.
        }

        foreach (var statement in prepared.Values) statement.Dispose();
        connection.Dispose();
    }

    // Immediate: a deferred transaction that turns to writing cannot wait for the lock and fails instead.
    private void Begin()
    {
        if (!begun) Execute("BEGIN IMMEDIATE");
        begun = true;
    }

    public SqliteRows Query(string sql, params ReadOnlySpan<SqliteValue> values) => Statement(sql).Query(values);

    private void Execute(string sql, params ReadOnlySpan<SqliteValue> values) => Statement(sql).Execute(values);

    private void Execute<TRow>(string sql, RowValues<TRow> columns, TRow row)
        where TRow : class
    {
        if (rowValues.Length < columns.Count) rowValues = new SqliteValue[columns.Count];
        columns.Write(row, rowValues);
        Statement(sql).Execute(rowValues);
    }

    private long? Number(string sql, params ReadOnlySpan<SqliteValue> values)
    {
        using var rows = Query(sql, values);
        return rows.Read() ? rows.GetInt64(0) : null;
    }

    private SqliteStatement Statement(string sql)
    {
        if (!prepared.TryGetValue(sql, out var statement)) prepared[sql] = statement = new SqliteStatement(connection, sql);
        return statement;
    }
}
