using Broker.Storage.Contracts;
using Broker.Storage.Tables;

namespace Broker.Storage.Sqlite;

/// <summary>The statements of the hot path, a row each: see <c>HotSql</c> for what they are for.</summary>
internal static class SqliteSql
{
    public const string Resolve = """
        SELECT id, definition_id FROM run WHERE workflow = @p0 AND instance_id = @p1 AND (@p2 IS NULL OR number = @p2) ORDER BY number DESC LIMIT 1
        """;

    public static readonly string Run = SqliteTables.Runs.Load;

    public const string Granted = "SELECT run_id, idx FROM step INDEXED BY ix_step_leased WHERE status = 2 AND fence = @p0 AND worker = @p1";

    public static readonly string Step = SqliteTables.Steps.Load;

    public static readonly string Active = SqliteTables.Steps.LoadActive;

    public static readonly string All = SqliteTables.Steps.LoadAll;

    public static readonly string Inbox = SqliteTables.Inbox.Pending;

    public const string ActiveIndexes = "SELECT idx FROM step WHERE run_id = @p0 AND status IN (1, 2, 3, 8)";

    public const string TakeInbox = """
        UPDATE inbox SET delivered_at = @p0, consumed_by = @p2
        WHERE run_id = @p1 AND type = @p3 AND delivered_at IS NULL AND (target_step IS NULL OR target_step = @p2)
        """;

    public static readonly string TakenInbox = SqliteTables.Inbox.Taken;

    public const string Result = "SELECT result FROM step WHERE run_id = @p0 AND idx = @p1 AND status IN (4, 5)";

    public static readonly string UpdateRun = SqliteTables.Runs.Update;

    public static readonly string UpdateStep = SqliteTables.Steps.Update;

    public static readonly string InsertStep = SqliteTables.Steps.Insert;

    public static readonly string CopyItems = SqliteTables.Steps.CopyItems;

    public const string FinishedItems = "SELECT idx FROM step WHERE run_id = @p0 AND idx >= @p1 AND idx < @p2 AND status IN (4, 5) ORDER BY idx";

    public const string ItemResults = "SELECT idx, result FROM step WHERE run_id = @p0 AND idx >= @p1 AND idx < @p2 AND status IN (4, 5)";

    public const string InsertAttempt = """
        INSERT INTO step_attempt (run_id, idx, attempt, outcome, worker, granted_at, ended_at, error, number)
        SELECT @p0, @p1, @p2, @p3, @p4, @p5, @p6, @p7, 1 + coalesce(max(number), 0) FROM step_attempt WHERE run_id = @p0 AND idx = @p1
        """;

    public static readonly string DropAttempts = $"""
        DELETE FROM step_attempt WHERE run_id = @p0 AND idx = @p1
            AND number <= (SELECT max(number) - {StepAttemptRow.MostKept} FROM step_attempt WHERE run_id = @p0 AND idx = @p1)
        """;

    public static readonly string InsertRun = SqliteTables.Runs.Insert;

    public static readonly string Inherited = $"SELECT {SqliteTables.Heritage.Names} FROM run WHERE id = @p0";

    public const string Supersede = "UPDATE run SET is_current = 0 WHERE id = @p0";

    public static readonly string InsertStartKey = SqliteTables.StartKeys.Insert;

    public static readonly string InsertTag = SqliteTables.Tags.Insert;

    public static readonly string InsertOutbox = SqliteTables.Outbox.Insert;

    public static readonly string DoneItem =
        $"UPDATE bulk_item SET outcome = {(int)BulkOutcome.Done} WHERE bulk_id = @p0 AND seq = @p1 AND outcome = {(int)BulkOutcome.Pending}";

    public static readonly string StartKey = SqliteTables.StartKeys.Load;

    public static readonly string InsertInbox = SqliteTables.Inbox.Insert;

    public const string KnownEvent = "SELECT 1 FROM inbox WHERE run_id = @p0 AND client_id = @p1";

    public static readonly string ConsumeInbox = SqliteTables.Inbox.Consume;

    public const string NextEvent = """
        INSERT INTO stream (run_id, next, read_to, reader_until) VALUES (@p0, 1, -1, 0) ON CONFLICT (run_id) DO UPDATE SET next = next + 1 RETURNING next
        """;

    public static readonly string InsertEvent = SqliteTables.Events.Insert;

    public static readonly string InsertLine = SqliteTables.Lines.Insert;

    public const string ChargeLog = """
        INSERT INTO log_size AS s (run_id, workflow, step, bytes, is_cut) VALUES (@p0, @p1, @p2, @p3, 0)
        ON CONFLICT (run_id, workflow, step) DO UPDATE SET bytes = s.bytes + excluded.bytes WHERE NOT s.is_cut RETURNING bytes
        """;

    public const string CutLog = "UPDATE log_size SET bytes = @p3, is_cut = 1 WHERE run_id = @p0 AND workflow = @p1 AND step = @p2";

    public const string Heartbeat = """
        UPDATE step SET expires_at = min(@p0 + lease_secs * 1000000, coalesce(deadline, @p0 + lease_secs * 1000000)), ahead = 0, progress = coalesce(@p5, progress)
        WHERE run_id = @p1 AND idx = @p2 AND fence = coalesce(@p3, fence) AND worker = coalesce(@p4, worker)
            AND ((status = 2 AND coalesce(deadline > @p0, 1)) OR (status = 7 AND expires_at > @p0)) RETURNING status, (SELECT phase FROM run WHERE id = run_id)
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

    public static readonly string Lease = $"""
        UPDATE step SET status = 2, worker = @p0, fence = @p1, lease_secs = coalesce(@p2, step.lease_secs), granted_at = @p3,
            deadline = coalesce(min(@p3 + attempt_ms * 1000, total_deadline), @p3 + attempt_ms * 1000, total_deadline),
            expires_at = min(@p3 + coalesce(@p2, step.lease_secs) * 1000000, coalesce(@p3 + attempt_ms * 1000, {long.MaxValue}), coalesce(total_deadline, {long.MaxValue})), begun_at = coalesce(step.begun_at, @p3), ahead = @p4
        WHERE run_id = @p5 AND idx = @p6
        RETURNING {SqliteTables.ClaimedColumns.Names}
        """;

    public static readonly string ClaimedRun = SqliteTables.Runs.LoadAssigned;

    public static readonly IReadOnlyList<string> Purge =
    [
        "DELETE FROM step WHERE run_id = @p0", "DELETE FROM step_attempt WHERE run_id = @p0", "DELETE FROM event WHERE run_id = @p0", "DELETE FROM stream WHERE run_id = @p0",
        "DELETE FROM inbox WHERE run_id = @p0", "DELETE FROM log WHERE run_id = @p0", "DELETE FROM log_size WHERE run_id = @p0", "DELETE FROM run_tag WHERE run_id = @p0", "DELETE FROM run WHERE id = @p0",
    ];
}
