using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Lanes;
using Broker.Storage.Model;
using Broker.Storage.Stores;
using Npgsql;

namespace Broker.Storage.Postgres;

/// <summary>Transactions on one PostgreSQL connection. Statements travel together: three exchanges for a whole batch.</summary>
internal sealed class PostgresUnit(NpgsqlConnection connection, DefinitionCache definitions) : IUnit
{
    private bool begun;

    public async Task<(long Id, int DefinitionId)[]> ResolveAsync(IReadOnlyList<RunName> names, CancellationToken ct)
    {
        await using var batch = Batch();
        batch.Add(HotSql.Resolve,
            Array(names, n => Known(n.Workflow)), Array(names, n => Known(n.InstanceId)), Array(names, n => n.Number));
        var found = new (long, int)[names.Count];
        await using var reader = await batch.ReadAsync(ct);
        while (await reader.ReadAsync(ct)) found[reader.GetInt64(0) - 1] = (reader.GetInt64(1), reader.GetInt32(2));
        return found;
    }

    public async Task<Loaded> BeginAsync(IReadOnlyList<long> runs, IReadOnlyList<StepKey> steps, CancellationToken ct)
    {
        await using var batch = Batch();
        batch.Add(HotSql.LockRuns, Parameter(runs.ToArray()));
        batch.Add(HotSql.Steps, Array(steps, s => s.RunId), Array(steps, s => s.Index));
        batch.Add(HotSql.Now);
        await using var reader = await batch.ReadAsync(ct);
        var loaded = await RowReader.ReadRunsAsync(reader, definitions, ct);
        await reader.NextResultAsync(ct);
        var found = await ReadStepsAsync(reader, ct);
        await reader.NextResultAsync(ct);
        await reader.ReadAsync(ct);
        return new Loaded(loaded, found, Instants.FromMicros(reader.GetInt64(0)));
    }

    public async Task<DateTimeOffset> NowAsync(CancellationToken ct)
    {
        await using var batch = Batch();
        batch.Add(HotSql.Now);
        await using var reader = await batch.ReadAsync(ct);
        await reader.ReadAsync(ct);
        return Instants.FromMicros(reader.GetInt64(0));
    }

    public async Task<ILookup<long, StepState>> ActiveStepsAsync(IReadOnlyList<long> runs, CancellationToken ct)
    {
        await using var batch = Batch();
        batch.Add(HotSql.LockActive, Parameter(runs.ToArray()));
        await using var reader = await batch.ReadAsync(ct);
        return await ReadStepsAsync(reader, ct);
    }

    public async Task<ILookup<long, InboundEvent>> MailAsync(IReadOnlyList<long> runs, CancellationToken ct)
    {
        await using var batch = Batch();
        batch.Add(HotSql.Mail, Parameter(runs.ToArray()));
        var mail = new List<(long RunId, InboundEvent Message)>();
        await using var reader = await batch.ReadAsync(ct);
        while (await reader.ReadAsync(ct)) mail.Add((reader.GetInt64(0), RowReader.ReadMail(reader, 1)));
        return mail.ToLookup(m => m.RunId, m => m.Message);
    }

    public async Task<IReadOnlyList<(StepKey Step, string? Result)>> ResultsAsync(IReadOnlyList<StepKey> steps, CancellationToken ct)
    {
        await using var batch = Batch();
        AddResults(batch, steps);
        await using var reader = await batch.ReadAsync(ct);
        return await ReadResultsAsync(reader, ct);
    }

    public async Task<IReadOnlyList<long>> RunsOfAsync(string workflow, string instanceId, CancellationToken ct)
    {
        await using var batch = Batch();
        batch.Add("SELECT id FROM run WHERE workflow = $1 AND instance_id = $2 ORDER BY id FOR UPDATE", Parameter(workflow), Parameter(instanceId));
        var ids = new List<long>();
        await using var reader = await batch.ReadAsync(ct);
        while (await reader.ReadAsync(ct)) ids.Add(reader.GetInt64(0));
        return ids;
    }

    public async Task<Inherited> InheritedAsync(long runId, CancellationToken ct)
    {
        await using var batch = Batch();
        batch.Add("SELECT inputs, context, instance_created_at FROM run WHERE id = $1", Parameter(runId));
        await using var reader = await batch.ReadAsync(ct);
        await reader.ReadAsync(ct);
        return new Inherited(reader.GetString(0), RowReader.Text(reader, 1), reader.GetInt64(2));
    }

    public async Task AppendEventsAsync(IReadOnlyList<Appended> events, CancellationToken ct)
    {
        await using var batch = Batch();
        AddEvents(batch, events);
        await using var reader = await batch.ReadAsync(ct);
    }

    public async Task<(IReadOnlyList<ClaimedRow> Claimed, IReadOnlyList<StepStatus?> Heartbeats)> WriteAsync(
        ChangeSet changes, IReadOnlyList<ClaimGroup> claims, CancellationToken ct)
    {
        var renewed = new StepStatus?[changes.Heartbeats.Count];
        var claimed = new List<ClaimedRow>();
        if (changes.IsEmpty && claims.Count == 0) return (claimed, renewed);

        await using var batch = Batch();
        AddWrites(batch, changes);
        if (changes.Heartbeats.Count > 0)
        {
            batch.Add(HotSql.Heartbeat,
                Array(changes.Heartbeats, h => h.Step.RunId), Array(changes.Heartbeats, h => h.Step.Index), Array(changes.Heartbeats, h => h.Fence));
        }

        foreach (var group in claims)
        {
            batch.Add(group.Queues.Count == 1 ? HotSql.ClaimOne : HotSql.ClaimMany,
                Array(group.Slots, s => s.Worker), Array(group.Slots, s => s.Fence), Array(group.Slots, s => s.LeaseSecs),
                Array(group.Queues, q => q.Id), Array(group.Queues, q => q.Priority), Parameter((long)group.Slots.Count));
        }

        // Statements that return no rows leave no result set, so what is left to read are the heartbeats and then the claims.
        await using var reader = await batch.ReadAsync(ct);
        if (changes.Heartbeats.Count > 0)
        {
            while (await reader.ReadAsync(ct)) renewed[reader.GetInt64(0) - 1] = (StepStatus)reader.GetInt16(1);
            await reader.NextResultAsync(ct);
        }

        foreach (var group in claims)
        {
            var first = claimed.Count;
            while (await reader.ReadAsync(ct)) claimed.Add(RowReader.ReadClaimed(reader, group.Slots[(int)reader.GetInt64(0) - 1]));
            await reader.NextResultAsync(ct);
        }

        return (claimed, renewed);
    }

    public async Task<IReadOnlyList<StartKeyRow>> StartKeysAsync(IReadOnlyList<string> keys, CancellationToken ct)
    {
        await using var batch = Batch();
        batch.Add(HotSql.StartKeys, Parameter(keys.ToArray()));
        await using var reader = await batch.ReadAsync(ct);
        var found = new List<StartKeyRow>();
        while (await reader.ReadAsync(ct)) found.Add(RowReader.ReadStartKey(reader));
        return found;
    }

    private static void AddWrites(BatchBuilder batch, ChangeSet changes)
    {
        if (changes.StartKeys.Count > 0)
        {
            var keys = changes.StartKeys;
            batch.Add(HotSql.InsertStartKeys,
                Array(keys, k => k.Key), Array(keys, k => k.Request), Array(keys, k => k.Verdict), Array(keys, k => k.RunId), Array(keys, k => k.Workflow),
                Array(keys, k => k.InstanceId), Array(keys, k => k.Number), Array(keys, k => k.At));
        }

        if (changes.Superseded.Count > 0) batch.Add(HotSql.Supersede, Parameter(changes.Superseded.ToArray()));
        if (changes.Runs.Count > 0)
        {
            var runs = changes.Runs;
            batch.Add(HotSql.UpdateRuns,
                Array(runs, r => r.State.Id), Array(runs, r => (short)r.State.Phase), Array(runs, r => r.State.Active), Array(runs, r => r.State.Joins.Write()),
                Array(runs, r => r.State.Mail), Array(runs, r => Errors.Write(r.State.Error)), Array(runs, r => r.State.StartedAt.ToMicros()),
                Array(runs, r => r.State.ResumedAt.ToMicros()), Array(runs, r => r.State.UpdatedAt.ToMicros()), Array(runs, r => r.State.EndedAt.ToMicros()),
                Array(runs, r => r.Context), Array(runs, r => r.Result));
        }

        if (changes.Steps.Count > 0) batch.Add(HotSql.UpdateSteps, StepArrays(changes.Steps));
        if (changes.NewRuns.Count > 0)
        {
            var runs = changes.NewRuns;
            batch.Add(HotSql.InsertRuns,
                Array(runs, r => r.Id), Array(runs, r => r.Workflow), Array(runs, r => r.InstanceId), Array(runs, r => r.Number), Array(runs, r => r.DefinitionId),
                Array(runs, r => r.Phase), Array(runs, r => r.Active), Array(runs, r => r.Joins), Array(runs, r => r.Streams), Array(runs, r => r.Inputs),
                Array(runs, r => r.Context), Array(runs, r => r.Result), Array(runs, r => r.Error), Array(runs, r => r.TraceParent),
                Array(runs, r => r.InstanceCreatedAt), Array(runs, r => r.CreatedAt), Array(runs, r => r.StartedAt), Array(runs, r => r.UpdatedAt),
                Array(runs, r => r.EndedAt));
        }

        if (changes.NewSteps.Count > 0) batch.Add(HotSql.InsertSteps, StepArrays(changes.NewSteps));
        if (changes.NewMail.Count > 0)
        {
            var mail = changes.NewMail;
            batch.Add(HotSql.InsertMail,
                Array(mail, m => m.RunId), Array(mail, m => m.Id), Array(mail, m => m.Type), Array(mail, m => m.Payload), Array(mail, m => m.TargetStep));
        }

        if (changes.Mail.Count > 0)
        {
            batch.Add(HotSql.ConsumeMail,
                Array(changes.Mail, m => m.RunId), Array(changes.Mail, m => m.Id), Array(changes.Mail, m => m.DeliveredAt), Array(changes.Mail, m => m.ConsumedBy));
        }

        if (changes.Events.Count > 0) AddEvents(batch, changes.Events);
        if (changes.Purged.Count > 0)
        {
            foreach (var statement in HotSql.Purge) batch.Add(statement, Parameter(changes.Purged.ToArray()));
        }
    }

    private static NpgsqlParameter[] StepArrays(List<StepRow> steps) =>
    [
        Array(steps, s => s.RunId), Array(steps, s => s.Idx), Array(steps, s => s.Status), Array(steps, s => s.QueueId), Array(steps, s => s.Rank),
        Array(steps, s => s.Due), Array(steps, s => s.Attempt), Array(steps, s => s.Losses), Array(steps, s => s.Fence), Array(steps, s => s.Worker),
        Array(steps, s => s.QueuedAt), Array(steps, s => s.GrantedAt), Array(steps, s => s.ExpiresAt), Array(steps, s => s.LeaseSecs),
        Array(steps, s => s.BegunAt), Array(steps, s => s.EndedAt), Array(steps, s => s.Result), Array(steps, s => s.Error),
    ];

    private static void AddEvents(BatchBuilder batch, IReadOnlyList<Appended> events)
    {
        var totals = events.CountBy(e => e.RunId).ToDictionary();
        var left = new Dictionary<long, int>(totals);
        var runs = totals.Keys.Order().ToArray();
        batch.Add(HotSql.AppendEvents,
            Parameter(runs), Array(runs, r => (long)totals[r]),
            Array(events, e => e.RunId), Array(events, e => (long)left[e.RunId]--), Array(events, e => e.Event.Type), Array(events, e => e.Event.ValueJson),
            Array(events, e => e.Event.Internal));
    }

    private static void AddResults(BatchBuilder batch, IReadOnlyList<StepKey> steps) =>
        batch.Add(HotSql.Results, Array(steps, s => s.RunId), Array(steps, s => s.Index));

    public async Task<IReadOnlyList<(StepKey Step, string? Result)>> CommitAsync(IReadOnlyList<StepKey> upstream, CancellationToken ct)
    {
        if (!begun && upstream.Count == 0) return [];
        await using var batch = new BatchBuilder(connection);
        if (begun) batch.Add("COMMIT");
        if (upstream.Count > 0) AddResults(batch, upstream);
        await using var reader = await batch.ReadAsync(ct);
        begun = false;
        return upstream.Count > 0 ? await ReadResultsAsync(reader, ct) : [];
    }

    public async Task RollbackAsync()
    {
        begun = false;
        await using var rollback = new NpgsqlCommand("ROLLBACK", connection);
        await rollback.ExecuteNonQueryAsync();
    }

    public ValueTask DisposeAsync() => connection.DisposeAsync();

    // What no column can hold names no run; as a parameter it would be refused, and replaced by something it might name another's run.
    private static string? Known(string name) => StoredText.Fits(name) ? name : null;

    // The first statement of a transaction takes its BEGIN along.
    private BatchBuilder Batch()
    {
        var batch = new BatchBuilder(connection);
        if (!begun) batch.Add("BEGIN");
        begun = true;
        return batch;
    }

    private static async Task<ILookup<long, StepState>> ReadStepsAsync(NpgsqlDataReader reader, CancellationToken ct)
    {
        var steps = new List<(long RunId, StepState State)>();
        while (await reader.ReadAsync(ct)) steps.Add(RowReader.ReadStep(reader));
        return steps.ToLookup(s => s.RunId, s => s.State);
    }

    private static async Task<List<(StepKey, string?)>> ReadResultsAsync(NpgsqlDataReader reader, CancellationToken ct)
    {
        var results = new List<(StepKey, string?)>();
        while (await reader.ReadAsync(ct)) results.Add((new(reader.GetInt64(0), reader.GetInt32(1)), RowReader.Text(reader, 2)));
        return results;
    }

    private static NpgsqlParameter<T> Parameter<T>(T value) => new() { TypedValue = value };

    private static NpgsqlParameter<T[]> Array<TRow, T>(IReadOnlyList<TRow> rows, Func<TRow, T> column)
    {
        var values = new T[rows.Count];
        for (var i = 0; i < values.Length; i++) values[i] = column(rows[i]);
        return Parameter(values);
    }

    /// <summary>Statements that travel in one exchange.</summary>
    private sealed class BatchBuilder(NpgsqlConnection connection) : IAsyncDisposable
    {
        private readonly NpgsqlBatch batch = connection.CreateBatch();

        public void Add(string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
        {
            var command = new NpgsqlBatchCommand(sql);
            foreach (var parameter in parameters) command.Parameters.Add(parameter);
            batch.BatchCommands.Add(command);
        }

        public Task<NpgsqlDataReader> ReadAsync(CancellationToken ct) => batch.ExecuteReaderAsync(ct);

        public ValueTask DisposeAsync() => batch.DisposeAsync();
    }
}
