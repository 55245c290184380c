using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Catalog;
using Broker.Storage.Contracts;
using Broker.Storage.Dispatch;
using Broker.Storage.Dispatch.Commands;
using Broker.Storage.Health;
using Broker.Storage.Postgres.Caching;
using Broker.Storage.Tables;
using Npgsql;
using static Broker.Storage.Postgres.Parameters;

namespace Broker.Storage.Postgres;

/// <summary>
/// Transactions on one PostgreSQL connection. Statements travel together: three exchanges for a whole batch, two
/// where its runs are cached. The second statement of each is that of <paramref name="opening"/>, and where it is due the next is
/// the question of <paramref name="watch"/>.
/// </summary>
internal sealed class PostgresBatchTransaction(
    NpgsqlConnection connection, DefinitionCache definitions, ClaimCursors cursors, DatabaseClockEstimate clock, RunCache runCache, EpochWatch watch, StoreHealth health, string? opening) : IBatchTransaction
{
    private readonly StepResultCache results = new(runCache);
    private readonly PostgresClaimScanner claims = new(definitions, cursors, runCache);
    private readonly CommitWarnings warnings = new(connection);
    private readonly CachedRunCheck check = new(runCache, clock);
    private CachedRuns? cached;
    private CommitFlag commit = new();
    private bool begun;
    private int askedIn = -1;

    public (long Id, int DefinitionId)[] Resolve(IReadOnlyList<RunName> names)
    {
        using var batch = Batch();
        batch.Add(HotSql.Resolve,
            Column(names, n => Known(n.Workflow)), Column(names, n => Known(n.InstanceId)), Column(names, n => n.Number));
        var found = new (long, int)[names.Count];
        using var reader = batch.Read();
        while (reader.Read()) found[reader.GetInt64(0) - 1] = (reader.GetInt64(1), reader.GetInt32(2));
        return found;
    }

    public IReadOnlyList<LeaseRef> Granted(IReadOnlyList<ClaimCommand> claims)
    {
        var wanted = claims.SelectMany(c => c.Fences!, (c, fence) => (Fence: fence, Worker: c.Request.WorkerId)).ToList();
        using var batch = Batch();
        batch.Add(HotSql.LockClaims, Column(claims, c => c.Fences![0]));
        batch.Add(HotSql.Granted, Column(wanted, w => w.Fence), Column(wanted, w => Known(w.Worker)));
        using var reader = batch.Read();
        reader.NextResult();
        var granted = new List<LeaseRef>();
        while (reader.Read()) granted.Add(new(new StepKey(reader.GetInt64(0), reader.GetInt32(1)), reader.GetInt64(2), reader.GetString(3)));
        return granted;
    }

    public Loaded Begin(IReadOnlyList<long> runs, IReadOnlyList<StepKey> steps, bool locksSteps)
    {
        cached = null;
        using var batch = Batch();
        batch.Add(HotSql.LockRuns, Parameter(runs.ToArray()));
        batch.Add(locksSteps ? HotSql.LockSteps : HotSql.Steps, Column(steps, s => s.RunId), Column(steps, s => s.Index));
        batch.Add(HotSql.Now);
        using var reader = batch.Read();
        var loaded = new List<LoadedRun>(runs.Count);
        while (reader.Read()) loaded.Add(RunRowMapper.Load(PostgresTables.Runs.Read(new PostgresRows(reader)), definitions));
        reader.NextResult();
        var found = ReadSteps(reader);
        reader.NextResult();
        return new Loaded(loaded, found, ReadNow(reader));
    }

    public Loaded? TryLoadCached(IReadOnlyList<LeaseRef> leases)
    {
        cached = runCache.TryLoadCached(leases);
        return cached?.Loaded;
    }

    public DateTimeOffset Now()
    {
        using var batch = Batch();
        batch.Add(HotSql.Now);
        using var reader = batch.Read();
        return ReadNow(reader);
    }

    private DateTimeOffset ReadNow(NpgsqlDataReader reader)
    {
        reader.Read();
        var now = reader.GetInt64(0);
        clock.Observe(now);
        return Instants.FromMicros(now);
    }

    public ILookup<long, StepState> ActiveSteps(IReadOnlyList<long> runs, int below = int.MaxValue)
    {
        using var batch = Batch();
        batch.Add(HotSql.LockActive, Parameter(runs.ToArray()), Parameter(below));
        using var reader = batch.Read();
        return ReadSteps(reader);
    }

    public ILookup<long, StepState> Steps(IReadOnlyList<StepKey> steps)
    {
        using var batch = Batch();
        batch.Add(HotSql.Steps, Column(steps, s => s.RunId), Column(steps, s => s.Index));
        using var reader = batch.Read();
        return ReadSteps(reader);
    }

    public IReadOnlyList<int> MissingItems(long runId, int first, int end, int most)
    {
        using var batch = Batch();
        batch.Add(HotSql.MissingItems, Parameter(runId), Parameter(first), Parameter(end), Parameter((long)most));
        using var reader = batch.Read();
        var missing = new List<int>();
        while (reader.Read()) missing.Add(reader.GetInt32(0));
        return missing;
    }

    public IReadOnlyDictionary<int, string?> ItemResults(long runId, int first, int end)
    {
        using var batch = Batch();
        batch.Add(HotSql.ItemResults, Parameter(runId), Parameter(first), Parameter(end));
        using var reader = batch.Read();
        var results = new Dictionary<int, string?>();
        while (reader.Read()) results[reader.GetInt32(0)] = reader.IsDBNull(1) ? null : reader.GetString(1);
        return results;
    }

    public ILookup<long, StepState> AllSteps(IReadOnlyList<long> runs)
    {
        using var batch = Batch();
        batch.Add(HotSql.AllSteps, Parameter(runs.ToArray()));
        using var reader = batch.Read();
        return ReadSteps(reader);
    }

    public ILookup<long, int> ActiveIndexes(IReadOnlyList<long> runs)
    {
        using var batch = Batch();
        batch.Add(HotSql.ActiveIndexes, Parameter(runs.ToArray()));
        var active = new List<(long RunId, int Index)>();
        using var reader = batch.Read();
        while (reader.Read()) active.Add((reader.GetInt64(0), reader.GetInt32(1)));
        return active.ToLookup(a => a.RunId, a => a.Index);
    }

    public ILookup<StepKey, InboxEvent> TakeInboxEvents(IReadOnlyList<(StepKey Step, string Type)> accepted)
    {
        using var batch = Batch();
        batch.Add(HotSql.TakeInbox, Column(accepted, a => a.Step.RunId), Column(accepted, a => a.Step.Index), Column(accepted, a => a.Type));
        batch.Add(HotSql.TakenInbox, Column(accepted, a => a.Step.RunId), Column(accepted, a => a.Step.Index));
        var taken = new List<(StepKey Step, InboxEvent Message)>();
        using var reader = batch.Read();
        while (reader.Read())
        {
            var row = PostgresTables.Inbox.ReadTaken(new PostgresRows(reader));
            taken.Add((new(row.RunId, row.ConsumedBy!.Value), InboxRowMapper.EventOf(row)));
        }

        return taken.ToLookup(t => t.Step, t => t.Message);
    }

    public ILookup<long, InboxEvent> InboxEvents(IReadOnlyList<long> runs)
    {
        using var batch = Batch();
        batch.Add(HotSql.Inbox, Parameter(runs.ToArray()));
        var inbox = new List<(long RunId, InboxEvent Message)>();
        using var reader = batch.Read();
        while (reader.Read())
        {
            var row = PostgresTables.Inbox.ReadPending(new PostgresRows(reader));
            inbox.Add((row.RunId, InboxRowMapper.EventOf(row)));
        }

        return inbox.ToLookup(m => m.RunId, m => m.Message);
    }

    public bool[] KnownEvents(IReadOnlyList<(long RunId, string ClientId)> ids)
    {
        using var batch = Batch();
        batch.Add(HotSql.KnownEvents, Column(ids, i => i.RunId), Column(ids, i => i.ClientId));
        var known = new bool[ids.Count];
        using var reader = batch.Read();
        while (reader.Read()) known[reader.GetInt64(0) - 1] = true;
        return known;
    }

    public IReadOnlyList<(StepKey Step, string? Result)> Results(IReadOnlyList<StepKey> steps)
    {
        using var batch = Batch();
        AddResults(batch, steps);
        using var reader = batch.Read();
        return ReadResults(reader);
    }

    public IReadOnlyList<long> RunsOf(IReadOnlyList<(string Workflow, string InstanceId)> instances)
    {
        using var batch = Batch();
        batch.Add(HotSql.RunsOf, Column(instances, i => i.Workflow), Column(instances, i => i.InstanceId));
        var ids = new List<long>();
        using var reader = batch.Read();
        while (reader.Read()) ids.Add(reader.GetInt64(0));
        return ids;
    }

    public IReadOnlyDictionary<long, Inherited> Inherited(IReadOnlyList<long> runs)
    {
        using var batch = Batch();
        batch.Add(HotSql.Inherited, Parameter(runs.ToArray()));
        using var reader = batch.Read();
        var heritage = new Dictionary<long, Inherited>(runs.Count);
        while (reader.Read())
        {
            var (run, its) = PostgresTables.Heritage.Read(new PostgresRows(reader));
            heritage[run] = its;
        }

        return heritage;
    }

    public void AppendEvents(IReadOnlyList<Appended> events)
    {
        using var batch = Batch();
        PostgresWrites.AddEvents(batch, events);
        using var reader = batch.Read();
    }

    public (IReadOnlyList<ClaimedRow> Claimed, IReadOnlyList<RenewedLease?> Heartbeats) Write(
        ChangeSet changes, IReadOnlyList<ClaimGroup> groups)
    {
        var renewed = new RenewedLease?[changes.Heartbeats.Count];
        var claimed = new List<ClaimedRow>();
        if (!changes.IsEmpty || cached is not null || groups.Any(group => group.Limit is null)) Write(changes, groups, claimed, renewed);
        foreach (var group in groups)
        {
            if (group.Limit is not null) new LimitedClaimScan(group, new PostgresLimitedStepReader(claims, Batch, claimed)).Run();
        }

        return (claimed, renewed);
    }

    private void Write(ChangeSet changes, IReadOnlyList<ClaimGroup> groups, List<ClaimedRow> claimed, RenewedLease?[] renewed)
    {
        using var batch = Batch();
        var verifiesInWrite = cached is not null && cached.CanVerifyInWrite(changes.Runs);
        if (cached is not null && !verifiesInWrite) batch.Add(HotSql.LockVersions, Column(cached.Runs, r => r.Run.Ref.Id));
        var steps = PostgresWrites.Add(batch, changes, cached, verifiesInWrite);
        if (changes.Heartbeats.Count > 0)
        {
            batch.Add(HotSql.Heartbeat,
                Column(changes.Heartbeats, h => h.Lease.Step.RunId), Column(changes.Heartbeats, h => h.Lease.Step.Index), Column(changes.Heartbeats, h => h.Lease.Fence),
                Column(changes.Heartbeats, h => h.Lease.Worker), Column(changes.Heartbeats, h => h.Progress));
        }

        claims.NoteReady(changes.NewSteps);
        claims.NoteReady(changes.Steps);
        var looks = claims.Look(batch, groups);

        // Statements that return no rows leave no result set: there are those of the versions, the runs, the heartbeats and then the claims.
        using (var reader = batch.Read())
        {
            if (cached is not null && !verifiesInWrite) check.Versions(reader, cached);
            if (changes.Runs.Count > 0)
            {
                var version = check.Written(reader, changes.Runs, verifiesInWrite ? cached : null);
                foreach (var change in changes.Runs) runCache.Wrote(change.Run, version, commit);
            }

            if (cached is not null) check.Steps(changes.Steps.Count, steps?.RecordsAffected ?? 0);
            foreach (var step in changes.Steps) runCache.Forget(new StepKey(step.RunId, step.Idx));
            results.Ended(changes.Steps);
            if (changes.Heartbeats.Count > 0)
            {
                ReadRenewed(reader, changes.Heartbeats, renewed);
                reader.NextResult();
            }

            claims.Read(reader, looks, claimed);
        }

        if (PostgresClaimScanner.AnyShort(looks))
        {
            using var second = Batch();
            claims.LookFromFront(second, looks);
            using var reader = second.Read();
            claims.Read(reader, looks, claimed);
        }
    }

    // The statement renews a row once, however many heartbeats name its lease: each gets its answer here.
    private static void ReadRenewed(NpgsqlDataReader reader, List<LeaseRenewal> renewals, RenewedLease?[] renewed)
    {
        var found = new Dictionary<StepKey, (long Fence, string Worker, RenewedLease Found)>();
        while (reader.Read())
        {
            var isPaused = !reader.IsDBNull(5) && (RunPhase)reader.GetInt16(5) is RunPhase.Pausing or RunPhase.Paused;
            found[new(reader.GetInt64(0), reader.GetInt32(1))] = (reader.GetInt64(2), reader.GetString(3), new((StepStatus)reader.GetInt16(4), isPaused));
        }

        for (var i = 0; i < renewed.Length; i++)
        {
            var lease = renewals[i].Lease;
            if (found.TryGetValue(lease.Step, out var held) && lease.Is(held.Fence, held.Worker)) renewed[i] = held.Found;
        }
    }

    public void Confirm()
    {
        using var batch = Batch();
        batch.Add(HotSql.Confirm);
        batch.Read().Dispose();
    }

    public IReadOnlyList<StartKeyRow> StartKeys(IReadOnlyList<string> keys)
    {
        using var batch = Batch();
        batch.Add(HotSql.StartKeys, Parameter(keys.ToArray()));
        using var reader = batch.Read();
        var found = new List<StartKeyRow>();
        while (reader.Read()) found.Add(PostgresTables.StartKeys.Read(new PostgresRows(reader)));
        return found;
    }

    public IReadOnlyList<long?> ChargeLogs(IReadOnlyList<LogSize> sizes)
    {
        using var batch = Batch();
        batch.Add(HotSql.ChargeLogs, PostgresWrites.LogColumns(sizes));
        using var reader = batch.Read();
        var after = new Dictionary<(long, string, string), long>();
        while (reader.Read()) after[(reader.GetInt64(0), reader.GetString(1), reader.GetString(2))] = reader.GetInt64(3);
        return [.. sizes.Select(s => after.TryGetValue((s.RunId, s.Workflow, s.Step), out var bytes) ? bytes : (long?)null)];
    }

    public void CutLogs(IReadOnlyList<LogSize> sizes)
    {
        using var batch = Batch();
        batch.Add(HotSql.CutLogs, PostgresWrites.LogColumns(sizes));
        batch.Read().Dispose();
    }

    private static void AddResults(BatchBuilder batch, IReadOnlyList<StepKey> steps) =>
        batch.Add(HotSql.Results, Column(steps, s => s.RunId), Column(steps, s => s.Index));

    public IReadOnlyList<(StepKey Step, string? Result)> Commit(IReadOnlyList<StepKey> upstream, IReadOnlyList<LogLineRow> lines)
    {
        var found = new List<(StepKey, string?)>(upstream.Count);
        var missing = results.Find(upstream, found);
        if (!begun && missing.Count == 0 && lines.Count == 0) return found;
        warnings.Clear();
        NpgsqlBatchCommand? before = null;
        try
        {
            using var batch = lines.Count > 0 ? Batch() : new BatchBuilder(connection);
            if (lines.Count > 0) before = PostgresWrites.AddLines(batch, lines);
            if (begun) batch.Add("COMMIT");
            if (missing.Count > 0) AddResults(batch, missing);
            using var reader = batch.Read();
            if (missing.Count > 0) found.AddRange(ReadResults(reader));
        }
        catch (Exception fault) when (begun && CommitWarnings.MayHaveCommitted(fault, before))
        {
            throw health.CommitInDoubt("the connection failed during it", fault);
        }

        if (begun) health.RequireConfirmed(warnings.First?.MessageText);
        End();
        commit.Committed();
        commit = new();
        results.Committed();
        claims.Committed();
        return found;
    }

    public void Rollback()
    {
        Forget();
        using var rollback = new NpgsqlCommand("ROLLBACK", connection);
        rollback.ExecuteNonQuery();
    }

    public void Dispose()
    {
        Forget();
        connection.Dispose();
    }

    private void Forget()
    {
        claims.Forget();
        results.RolledBack();
        runCache.ForgetAll();
        End();
    }

    private void End()
    {
        begun = false;
        cached = null;
    }

    // A name that no column can hold names no run; as a parameter it would be refused, and replaced by something it might name another's run.
    private static string? Known(string name) => StorableText.Fits(name) ? name : null;

    // The first statement of a transaction takes its BEGIN along.
    private BatchBuilder Batch()
    {
        var batch = new BatchBuilder(connection);
        if (begun) return batch;
        batch.Add("BEGIN");
        if (opening is not null) batch.Add(opening);
        if (watch.IsDue(askedIn)) AskEpoch(batch);
        results.Begin();
        begun = true;
        return batch;
    }

    private void AskEpoch(BatchBuilder batch)
    {
        var before = watch.Ask();
        batch.AddFirst(watch.Statement, reader =>
        {
            reader.Read();
            if (!watch.Compare(before, EpochReading.Read(reader), isNew: false)) throw new StaleEpochException();
            askedIn = before.Epoch;
        });
    }

    private static ILookup<long, StepState> ReadSteps(NpgsqlDataReader reader)
    {
        var steps = new List<(long RunId, StepState State)>();
        while (reader.Read()) steps.Add(StepRowMapper.KeyedStateOf(PostgresTables.Steps.Read(new PostgresRows(reader))));
        return steps.ToLookup(s => s.RunId, s => s.State);
    }

    private static List<(StepKey, string?)> ReadResults(NpgsqlDataReader reader)
    {
        var results = new List<(StepKey, string?)>();
        while (reader.Read()) results.Add((new(reader.GetInt64(0), reader.GetInt32(1)), new PostgresRows(reader).Text(2)));
        return results;
    }
}
