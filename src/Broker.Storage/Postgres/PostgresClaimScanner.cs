using Broker.Core.Definitions;
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
                var (row, step) = ReadOne(reader, look.Group.Slots, first);
                claimed.Add(row);
                reached[step.QueueId] = Math.Max(step.Rank, reached.GetValueOrDefault(step.QueueId));
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
    public (ClaimedRow Claimed, StepRow Step) ReadOne(NpgsqlDataReader reader, IReadOnlyList<ClaimSlot> slots, int first = 0)
    {
        var (step, run) = (PostgresTables.Claimed.Step(reader), PostgresTables.Claimed.Run(reader));
        var row = ClaimedRow.Of(step, run, slots[first + ClaimedColumns.Slot(reader)]);
        if (PostgresTables.Claimed.Version(reader) is { } version)
        {
            run.Id = step.RunId;
            run.Joins = PostgresTables.Claimed.Joins(reader);
            Remember(row, step, run, version);
        }

        return (row, step);
    }

    /// <summary>Steps that it made ready are in front of the marks.</summary>
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

    // First attempts of active runs without errors and unread events: the statement returns no version of others.
    private void Remember(ClaimedRow row, StepRow claimed, RunRow run, uint version)
    {
        var ready = new StepState
        {
            Index = claimed.Idx,
            Status = StepStatus.Ready,
            Losses = claimed.Losses,
            QueuedAt = Instants.FromMicros(claimed.QueuedAt),
            Due = Instants.FromMicros(claimed.Due),
            BegunAt = Instants.FromMicros(claimed.BegunAt),
        };
        // The report of an item needs the row of its map too, which no cache has.
        if (claimed.Idx >= StepDefinition.FirstDynamic) return;
        var step = StepMachine.Claim(ready, row.Worker, row.Fence, row.LeaseSecs, Instants.FromMicros(row.GrantedAt));
        runCache.Leased(new StepKey(claimed.RunId, claimed.Idx), step, RunRowMapper.Load(run, definitions), version);
    }
}
