using Broker.Storage.Dispatch;

namespace Broker.Storage.Sqlite;

/// <summary>The statements of the hot path, a row each: see <c>HotSql</c> for what they are for.</summary>
internal static class SqliteSql
{
    public const string Resolve = """
        SELECT id, definition_id FROM run WHERE workflow = @p0 AND instance_id = @p1 AND (@p2 IS NULL OR number = @p2) ORDER BY number DESC LIMIT 1
        """;

    public const string Run = $"SELECT {RowReader.RunColumns} FROM run WHERE id = @p0";

    public const string Granted = "SELECT run_id, idx FROM step INDEXED BY ix_step_leased WHERE status = 2 AND fence = @p0 AND worker = @p1";

    public static readonly string Step = SqliteTables.Steps.Load;

    public static readonly string Active = SqliteTables.Steps.LoadActive;

    public const string Inbox = "SELECT id, type, payload, target_step FROM inbox WHERE run_id = @p0 AND delivered_at IS NULL ORDER BY id";

    public const string ActiveIndexes = "SELECT idx FROM step WHERE run_id = @p0 AND status IN (1, 2, 3, 8)";

    public const string TakeInbox = """
        UPDATE inbox SET delivered_at = @p0, consumed_by = @p2
        WHERE run_id = @p1 AND type = @p3 AND delivered_at IS NULL AND (target_step IS NULL OR target_step = @p2)
        """;

    public const string TakenInbox = "SELECT id, type, payload, target_step FROM inbox WHERE run_id = @p0 AND consumed_by = @p1 ORDER BY id";

    public const string Result = "SELECT result FROM step WHERE run_id = @p0 AND idx = @p1 AND status IN (4, 5)";

    public const string UpdateRun = """
        UPDATE run SET phase = @p0, active = @p1, joins = @p2, mail = @p3, error = @p4, started_at = @p5, resumed_at = @p6, updated_at = @p7, ended_at = @p8,
            context = coalesce(@p9, context), result = coalesce(@p10, result) WHERE id = @p11
        """;

    public static readonly string UpdateStep = SqliteTables.Steps.Update;

    public static readonly string InsertStep = SqliteTables.Steps.Insert;

    public const string InsertRun = """
        INSERT INTO run (id, workflow, instance_id, number, is_current, definition_id, phase, active, joins, mail, streams, inputs, context, start_context, result, error,
            trace_parent, instance_created_at, created_at, started_at, updated_at, ended_at)
        VALUES (@p0, @p1, @p2, @p3, 1, @p4, @p5, @p6, @p7, 0, @p8, @p9, @p10, @p10, @p11, @p12, @p13, @p14, @p15, @p16, @p17, @p18)
        """;

    public const string Supersede = "UPDATE run SET is_current = 0 WHERE id = @p0";

    public const string InsertStartKey =
        $"INSERT INTO start_key ({RowReader.StartKeyColumns}) VALUES (@p0, @p1, @p2, @p3, @p4, @p5, @p6, @p7)";

    public const string StartKey = $"SELECT {RowReader.StartKeyColumns} FROM start_key WHERE key = @p0";

    public const string InsertInbox = "INSERT INTO inbox (run_id, id, type, payload, target_step, client_id) VALUES (@p0, @p1, @p2, @p3, @p4, @p5)";

    public const string KnownEvent = "SELECT 1 FROM inbox WHERE run_id = @p0 AND client_id = @p1";

    public const string ConsumeInbox = "UPDATE inbox SET delivered_at = @p0, consumed_by = @p1 WHERE run_id = @p2 AND id = @p3";

    public const string NextEvent = """
        INSERT INTO stream (run_id, next, read_to, reader_until) VALUES (@p0, 1, -1, 0) ON CONFLICT (run_id) DO UPDATE SET next = next + 1 RETURNING next
        """;

    public const string InsertEvent = "INSERT INTO event (run_id, seq, type, value, internal, created_at) VALUES (@p0, @p1, @p2, @p3, @p4, @p5)";

    public const string InsertLine = """
        INSERT INTO log (run_id, workflow, step, attempt, level, category, message, data, sequence, stream, timestamp_ms, created_at)
        VALUES (@p0, @p1, @p2, @p3, @p4, @p5, @p6, @p7, @p8, @p9, @p10, @p11)
        """;

    public const string ChargeLog = """
        INSERT INTO log_size AS s (run_id, workflow, step, bytes, is_cut) VALUES (@p0, @p1, @p2, @p3, 0)
        ON CONFLICT (run_id, workflow, step) DO UPDATE SET bytes = s.bytes + excluded.bytes WHERE NOT s.is_cut RETURNING bytes
        """;

    public const string CutLog = "UPDATE log_size SET bytes = @p3, is_cut = 1 WHERE run_id = @p0 AND workflow = @p1 AND step = @p2";

    public const string Heartbeat = """
        UPDATE step SET expires_at = @p0 + lease_secs * 1000000, ahead = 0
        WHERE run_id = @p1 AND idx = @p2 AND fence = coalesce(@p3, fence) AND worker = coalesce(@p4, worker) AND (status = 2 OR (status = 7 AND expires_at > @p0)) RETURNING status
        """;

    /// <summary>The first claimable step of a queue: one step down the claim index.</summary>
    public const string First = """
        SELECT run_id, idx, rank, due FROM step INDEXED BY ix_step_claim
        WHERE queue_id = @p0 AND status = 1 AND rank <= @p1 AND due <= @p1 ORDER BY rank, due, idx LIMIT 1
        """;

    /// <summary>The next rows of a queue with their workflows: for claims that are limited to some.</summary>
    public const string LimitedPage = """
        SELECT s.run_id, s.idx, s.rank, s.due, r.workflow FROM step s INDEXED BY ix_step_claim CROSS JOIN run r ON r.id = s.run_id
        WHERE s.queue_id = @p0 AND s.status = 1 AND s.rank >= @p1 AND (s.rank, s.due, s.idx) >= (@p1, @p2, @p3) AND s.rank <= @p4 AND s.due <= @p4
        ORDER BY s.rank, s.due, s.idx LIMIT @p5
        """;

    public const string Lease = """
        UPDATE step SET status = 2, worker = @p0, fence = @p1, lease_secs = coalesce(@p2, step.lease_secs), granted_at = @p3,
            expires_at = @p3 + coalesce(@p2, step.lease_secs) * 1000000, begun_at = coalesce(step.begun_at, @p3), ahead = @p4
        WHERE run_id = @p5 AND idx = @p6
        RETURNING 0, step.run_id, idx, attempt, queued_at, due, granted_at, expires_at, lease_secs
        """;

    /// <summary>What a claim hands out of the run. RETURNING can name no other table, and eight look-ups in it cost more than this one.</summary>
    public const string ClaimedRun = "SELECT workflow, instance_id, number, definition_id, inputs, context, streams, trace_parent FROM run WHERE id = @p0";

    public static readonly IReadOnlyList<string> Purge =
    [
        "DELETE FROM step WHERE run_id = @p0", "DELETE FROM event WHERE run_id = @p0", "DELETE FROM stream WHERE run_id = @p0",
        "DELETE FROM inbox WHERE run_id = @p0", "DELETE FROM log WHERE run_id = @p0", "DELETE FROM log_size WHERE run_id = @p0", "DELETE FROM run WHERE id = @p0",
    ];
}
