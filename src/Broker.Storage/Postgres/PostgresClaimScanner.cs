using Broker.Core.Graphs;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Catalog;
using Broker.Storage.Dispatch;
using Broker.Storage.Postgres.Caching;
using Broker.Storage.Tables;
using Npgsql;
using static Broker.Storage.Postgres.Parameters;

namespace Broker.Storage.Postgres;

/// <summary>Scans the queues for the claims of one connection: from the cursors on, and again from the front where that found too little.</summary>
internal sealed class PostgresClaimScanner(DefinitionCache definitions, ClaimCursors cursors, RunCache runCache)
{
    // Rows of a queue that other brokers may have locked.
    private const int TakenElsewhere = 64;

    // Upper bound on candidate rows that are skipped because other transactions lock them, over all queues of a scan. A scan from the front gets the whole
    // bound, so that a claim never answers "empty" merely because of locks. With 64 there too, 128 workers got that answer three times a second.
    private const int TakenAtMost = 2048;

    /// <summary>Queues in which this transaction makes steps ready, with the least rank of them.</summary>
    private readonly Dictionary<int, long> madeReady = [];

    private int taking;
    private int takenBeside;

    public void NoteReady(List<StepRow> steps)
    {
        foreach (var step in steps)
        {
            if (step.Status == (short)StepStatus.Ready) madeReady[step.QueueId] = Math.Min(step.Rank, madeReady.GetValueOrDefault(step.QueueId, long.MaxValue));
        }
    }

    public List<ClaimScan> Look(BatchBuilder batch, IReadOnlyList<ClaimGroup> groups)
    {
        var looks = groups.Where(group => group.Limit is null).Select(Look).ToList();
        var wanted = looks.Sum(look => look.Group.Slots.Count);
        takenBeside = cursors.Take(wanted);
        taking += wanted;
        foreach (var look in looks) Add(batch, look);
        return looks;
    }

    private ClaimScan Look(ClaimGroup group)
    {
        var (from, versions) = (new long[group.Queues.Count], new long[group.Queues.Count]);
        for (var i = 0; i < from.Length; i++)
        {
            var queue = group.Queues[i].Id;
            (from[i], versions[i]) = cursors.Of(queue);
            from[i] = Math.Min(from[i], madeReady.GetValueOrDefault(queue, long.MaxValue));
        }

        return new ClaimScan(group, from, versions);
    }

    /// <summary>Takes out those that have got all, or have looked from the front; whether any are left.</summary>
    public static bool AnyShort(List<ClaimScan> looks)
    {
        looks.RemoveAll(look => look.IsServed || look.IsFromFront);
        return looks.Count > 0;
    }

    public void LookFromFront(BatchBuilder batch, List<ClaimScan> looks)
    {
        foreach (var look in looks)
        {
            Array.Clear(look.From);
            Add(batch, look);
        }
    }

    public void Read(NpgsqlDataReader reader, List<ClaimScan> looks, List<ClaimedRow> claimed)
    {
        var reached = new Dictionary<int, long>();
        foreach (var look in looks)
        {
            var first = look.Served;
            reached.Clear();
            while (reader.Read())
            {
                claimed.Add(ReadOne(reader, look.Group.Slots, first));
                var (queue, rank) = (reader.GetInt32(17), reader.GetInt64(18));
                reached[queue] = Math.Max(rank, reached.GetValueOrDefault(queue));
                look.Served++;
            }

            for (var i = 0; i < look.From.Length; i++)
            {
                var queue = look.Group.Queues[i].Id;
                if (reached.TryGetValue(queue, out var rank)) cursors.Advance(queue, rank, look.Versions[i]);
            }

            reader.NextResult();
        }
    }

    /// <summary>The row that the reader is at: of a statement that was given the slots from that one on.</summary>
    public ClaimedRow ReadOne(NpgsqlDataReader reader, IReadOnlyList<ClaimSlot> slots, int first = 0)
    {
        var rows = new PostgresRows(reader);
        var row = RowReader.ReadClaimed(rows, rows, 9, slots[first + (int)reader.GetInt64(0) - 1]);
        Remember(row, reader);
        return row;
    }

    /// <summary>What it made ready is in front of the marks.</summary>
    public void Committed()
    {
        foreach (var (queue, rank) in madeReady) cursors.Lower(queue, rank);
        End();
    }

    public void Forget()
    {
        cursors.Forget();
        End();
    }

    private void End()
    {
        madeReady.Clear();
        cursors.Taken(taking);
        taking = 0;
    }

    private void Add(BatchBuilder batch, ClaimScan look)
    {
        var most = Math.Max(TakenElsewhere, TakenAtMost / look.From.Length);
        var taken = look.IsFromFront ? most : Math.Min(takenBeside + TakenElsewhere, most);
        var slots = look.Group.Slots.Skip(look.Served).ToList();
        batch.Add(look.From.Length == 1 ? HotSql.ClaimOne : HotSql.ClaimMany,
            Column(slots, s => s.Worker), Column(slots, s => s.Fence), Column(slots, s => s.LeaseSecs),
            Column(look.Group.Queues, q => q.Id), Column(look.Group.Queues, q => q.Priority), Parameter((long)slots.Count), Parameter(look.From),
            Parameter((long)slots.Count + taken), Column(slots, s => s.Claim.IsAhead ? true : default(bool?)));
    }

    // What follows the columns that both engines have. No version: the statement says that it is nothing to remember.
    private void Remember(ClaimedRow row, NpgsqlDataReader reader)
    {
        if (reader.IsDBNull(28)) return;
        var columns = new PostgresRows(reader);
        var ready = new StepState
        {
            Index = row.Index,
            Status = StepStatus.Ready,
            Losses = reader.GetInt32(19),
            QueuedAt = Instants.FromMicros(row.QueuedAt),
            Due = Instants.FromMicros(row.Due),
            BegunAt = Instants.FromMicros(reader.GetInt64(20)),
        };
        var step = StepMachine.Claim(ready, row.Worker, row.Fence, row.LeaseSecs, Instants.FromMicros(row.GrantedAt));
        var run = new RunState
        {
            Id = row.RunId,
            Definition = definitions.Get(row.DefinitionId),
            Active = reader.GetInt32(22),
            Joins = JoinSet.Read(RowReader.Text(columns, 23)),
            Streams = row.Streams,
            CreatedAt = Instants.FromMicros(reader.GetInt64(24)),
            StartedAt = Instants.FromMicros(RowReader.Long(columns, 25)),
            ResumedAt = Instants.FromMicros(RowReader.Long(columns, 26)),
            UpdatedAt = Instants.FromMicros(reader.GetInt64(27)),
        };
        var loaded = new LoadedRun(run, new RunRef(row.RunId, row.Workflow, row.InstanceId, row.Number), row.DefinitionId, reader.GetBoolean(21));
        runCache.Leased(new StepKey(row.RunId, row.Index), step, loaded, reader.GetFieldValue<uint>(28));
    }
}
