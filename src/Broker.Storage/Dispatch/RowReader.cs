using Broker.Core.Graphs;
using Broker.Core.Runs;
using Broker.Storage.Catalog;
using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch;

/// <summary>Columns and readers of the hot statements: one list for both engines.</summary>
internal static class RowReader
{
    public const string RunColumns =
        "id, workflow, instance_id, number, is_current, definition_id, phase, active, joins, mail, streams, created_at, started_at, resumed_at, updated_at, ended_at, error";

    public static List<LoadedRun> ReadRuns<TRows>(TRows reader, DefinitionCache definitions)
        where TRows : IRows
    {
        var runs = new List<LoadedRun>();
        while (reader.Read())
        {
            var definitionId = reader.GetInt32(5);
            var state = new RunState
            {
                Id = reader.GetInt64(0),
                Definition = definitions.Get(definitionId),
                Phase = (RunPhase)reader.GetInt16(6),
                Active = reader.GetInt32(7),
                Joins = JoinSet.Read(Text(reader, 8)),
                InboxCount = reader.GetInt32(9),
                Streams = reader.GetBoolean(10),
                CreatedAt = Instants.FromMicros(reader.GetInt64(11)),
                StartedAt = Instants.FromMicros(Long(reader, 12)),
                ResumedAt = Instants.FromMicros(Long(reader, 13)),
                UpdatedAt = Instants.FromMicros(reader.GetInt64(14)),
                EndedAt = Instants.FromMicros(Long(reader, 15)),
                Error = StoredError.Read(Text(reader, 16)),
            };
            runs.Add(new(state, new RunRef(state.Id, reader.GetString(1), reader.GetString(2), reader.GetInt32(3)), definitionId, reader.GetBoolean(4)));
        }

        return runs;
    }

    public static InboxEvent ReadInboxEvent<TRows>(TRows reader, int from)
        where TRows : IRows
    {
        var id = reader.GetInt64(from);
        return new InboxEvent(
            id, reader.GetString(from + 1), Text(reader, from + 2), reader.IsDBNull(from + 3) ? null : reader.GetInt32(from + 3), Instants.FromMicros(id));
    }

    public static Inherited ReadInherited<TRows>(TRows reader)
        where TRows : IRows => new(reader.GetString(0), Text(reader, 1), Text(reader, 2), reader.GetInt64(3));

    /// <summary>A claimed step.</summary>
    /// <param name="step">Its own columns, from the second on.</param>
    /// <param name="run">Those of its run.</param>
    /// <param name="from">The first of these.</param>
    /// <param name="slot">The slot that gets it.</param>
    public static ClaimedRow ReadClaimed<TRows>(TRows step, TRows run, int from, ClaimSlot slot)
        where TRows : IRows => new(
        slot.Worker, slot.Fence, step.GetInt64(1), step.GetInt32(2), step.GetInt32(3), step.GetInt64(4), step.GetInt64(5), step.GetInt64(6), step.GetInt64(7),
        step.GetInt32(8), run.GetString(from), run.GetString(from + 1), run.GetInt32(from + 2), run.GetInt32(from + 3), run.GetString(from + 4), Text(run, from + 5),
        run.GetBoolean(from + 6), Text(run, from + 7))
        {
            Claim = slot.Claim,
        };

    public const string StartKeyColumns = "key, request, verdict, run_id, workflow, instance_id, number, at";

    public static StartKeyRow ReadStartKey<TRows>(TRows reader)
        where TRows : IRows => new()
        {
            Key = reader.GetString(0),
            Request = reader.GetString(1),
            Verdict = reader.GetInt16(2),
            RunId = reader.GetInt64(3),
            Workflow = reader.GetString(4),
            InstanceId = reader.GetString(5),
            Number = reader.GetInt32(6),
            At = reader.GetInt64(7),
        };

    public static string? Text<TRows>(TRows reader, int column)
        where TRows : IRows => reader.IsDBNull(column) ? null : reader.GetString(column);

    public static long? Long<TRows>(TRows reader, int column)
        where TRows : IRows => reader.IsDBNull(column) ? null : reader.GetInt64(column);
}
