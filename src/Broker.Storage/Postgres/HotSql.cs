using Broker.Storage.Contracts;
using Broker.Storage.Tables;

namespace Broker.Storage.Postgres;

/// <summary>
/// The statements of the hot path. Each takes arrays, so that a transaction for two hundred callers has as many statements as one for a
/// single caller. The connection of a batch loop has sequential and bitmap scans, hash and merge joins switched off. Every statement here is a
/// walk along an index from a short list. A plan made while a table was small must not stay when it has grown. Measured with
/// bitmap scans: a claim read and sorted all 240 ready rows of each queue, since the planner cannot know that all are due.
/// </summary>
internal static class HotSql
{
    private static readonly ArrayRows StepKeys = new(("run_id", "bigint"), ("idx", "int"));

    private static readonly ArrayRows LineRows = new(
        ("run_id", "bigint"), ("workflow", "text"), ("step", "text"), ("attempt", "int"), ("level", "text"), ("category", "text"), ("message", "text"),
        ("data", "text"), ("sequence", "bigint"), ("stream", "text"), ("timestamp_ms", "bigint"), ("created_at", "bigint"));

    private static readonly ArrayRows AttemptRows = new(
        ("run_id", "bigint"), ("idx", "int"), ("attempt", "int"), ("outcome", "smallint"), ("worker", "text"), ("granted_at", "bigint"), ("ended_at", "bigint"), ("error", "text"));

    private static readonly ArrayRows Leases = new(("run_id", "bigint"), ("idx", "int"), ("fence", "bigint"), ("worker", "text"), ("progress", "text"));

    public const string Now = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

    /// <summary>
    /// A message that only the log holds. No row is locked or left behind, and the commit waits for standbys as every other. One of a transaction that
    /// has only read does not.
    /// </summary>
    public const string Confirm = "SELECT FROM pg_logical_emit_message(true, 'broker', 'confirm')";

    /// <summary>Reads nothing, of a table that must be there.</summary>
    public const string Ping = "SELECT FROM run LIMIT 0";

    /// <summary>
    /// Makes claims with the same id wait for each other, in one order for all: below zero, where no other lock of ours is. Else the same claim, sent
    /// twice at once, was granted two leases, and one of them ran out with no worker that knew of it.
    /// </summary>
    public const string LockClaims = "SELECT pg_advisory_xact_lock(k) FROM (SELECT DISTINCT -1 - f AS k FROM unnest($1::bigint[]) AS u(f) ORDER BY k OFFSET 0) c";

    /// <summary>Leases that were granted to claims with these fences before, by the index of leased steps.</summary>
    public const string Granted = """
        SELECT s.run_id, s.idx, s.fence, s.worker FROM unnest($1::bigint[], $2::text[]) AS k(fence, worker)
        JOIN LATERAL (SELECT run_id, idx, fence, worker FROM step WHERE status = 2 AND fence = k.fence AND worker = k.worker OFFSET 0) s ON true
        """;

    /// <summary>Run names to ids; a null number is the current run.</summary>
    public const string Resolve = """
        SELECT k.ord, r.id, r.definition_id
        FROM unnest($1::text[], $2::text[], $3::int[]) WITH ORDINALITY AS k(workflow, instance_id, number, ord)
        JOIN LATERAL (
            SELECT id, definition_id FROM run
            WHERE workflow = k.workflow AND instance_id = k.instance_id AND (k.number IS NULL OR number = k.number)
            ORDER BY number DESC LIMIT 1) r ON true
        """;

    public static readonly string LockRuns = PostgresTables.Runs.Lock;

    /// <summary>
    /// The same for cached runs: only their versions. A lock that was waited for shows the row as it is then.
    /// Not needed where <see cref="UpdateCachedRuns"/> compares them.
    /// </summary>
    public const string LockVersions = """
        SELECT xmin, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint FROM run WHERE id = ANY($1) ORDER BY id FOR UPDATE
        """;

    public static readonly string Steps = PostgresTables.Steps.Load;

    public static readonly string LockSteps = PostgresTables.Steps.Lock;

    public static readonly string LockActive = PostgresTables.Steps.LockActive;

    public static readonly string AllSteps = PostgresTables.Steps.LoadAll;

    public const string ActiveIndexes = "SELECT run_id, idx FROM step WHERE run_id = ANY($1) AND status IN (1, 2, 3, 8)";

    public static readonly string Inbox = PostgresTables.Inbox.Pending;

    /// <summary>Places of those ids under which a run has an event.</summary>
    public const string KnownEvents = """
        SELECT k.ord FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS k(run_id, client_id, ord)
        JOIN LATERAL (SELECT FROM inbox WHERE run_id = k.run_id AND client_id = k.client_id LIMIT 1) i ON true
        """;

    /// <summary>Pending events for steps that were just leased: an entry for each type that a step accepts.</summary>
    public const string TakeInbox = """
        UPDATE inbox i SET delivered_at = (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, consumed_by = p.idx
        FROM (
            SELECT m.run_id, m.id, k.idx FROM unnest($1::bigint[], $2::int[], $3::text[]) AS k(run_id, idx, type)
            JOIN inbox m ON m.run_id = k.run_id AND m.type = k.type AND m.delivered_at IS NULL AND (m.target_step IS NULL OR m.target_step = k.idx)
            ORDER BY m.run_id, m.id FOR UPDATE OF m) p
        WHERE i.run_id = p.run_id AND i.id = p.id
        """;

    public static readonly string TakenInbox = PostgresTables.Inbox.Taken;

    public static readonly string Results = $"""
        SELECT {StepKeys.Values}, s.result FROM {StepKeys.Each}
        JOIN LATERAL (SELECT result FROM step WHERE run_id = {StepKeys["run_id"]} AND idx = {StepKeys["idx"]} AND status IN (4, 5) OFFSET 0) s ON true
        """;

    public static readonly string UpdateRuns = PostgresTables.Runs.Update;

    public static readonly string UpdateCachedRuns = PostgresTables.Runs.UpdateCached;

    public static readonly string UpdateSteps = PostgresTables.Steps.Update;

    public static readonly string UpdateLeasedSteps = PostgresTables.Steps.UpdateLeased;

    public static readonly string EndLeasedSteps = PostgresTables.Steps.EndLeased;

    public static readonly string InsertSteps = PostgresTables.Steps.Insert;

    public static readonly string InsertReadySteps = PostgresTables.Steps.InsertReady;

    public static readonly string InsertReadyItems = PostgresTables.Steps.InsertReadyItems;

    public static readonly string CopyItems = PostgresTables.Steps.CopyItems;

    /// <summary>Items without a result, in order: those that a retry has to begin.</summary>
    public const string MissingItems = """
        SELECT i FROM generate_series($2::int, $3::int - 1) AS i
        WHERE NOT EXISTS (SELECT FROM step WHERE run_id = $1 AND idx = i AND status IN (4, 5)) ORDER BY i LIMIT $4
        """;

    public const string ItemResults = "SELECT idx, result FROM step WHERE run_id = $1 AND idx >= $2 AND idx < $3 AND status IN (4, 5)";

    /// <summary>Attempts that did not succeed, numbered under the locks of their runs. One transaction ends one attempt of a step at most.</summary>
    public static readonly string InsertAttempts = $"""
        INSERT INTO step_attempt ({AttemptRows.Names}, number)
        SELECT {AttemptRows.Values}, 1 + coalesce((SELECT max(a.number) FROM step_attempt a WHERE a.run_id = {AttemptRows["run_id"]} AND a.idx = {AttemptRows["idx"]}), 0)
        FROM {AttemptRows.Each}
        """;

    /// <summary>Drops the attempts of these steps that are too many.</summary>
    public static readonly string DropAttempts = $"""
        DELETE FROM step_attempt d USING {StepKeys.Each}
        WHERE d.run_id = {StepKeys["run_id"]} AND d.idx = {StepKeys["idx"]}
            AND d.number <= (SELECT max(a.number) - {StepAttemptRow.MostKept} FROM step_attempt a WHERE a.run_id = {StepKeys["run_id"]} AND a.idx = {StepKeys["idx"]})
        """;

    public static readonly string InsertRuns = PostgresTables.Runs.Insert;

    public static readonly string Inherited = $"SELECT {PostgresTables.Heritage.Names} FROM run WHERE id = ANY($1)";

    /// <summary>All runs of instances, locked in order of id.</summary>
    public const string RunsOf = """
        SELECT r.id FROM unnest($1::text[], $2::text[]) AS k(workflow, instance_id)
        JOIN run r ON r.workflow = k.workflow AND r.instance_id = k.instance_id ORDER BY r.id FOR UPDATE OF r
        """;

    public const string Supersede = "UPDATE run SET is_current = false WHERE id = ANY($1)";

    public static readonly string InsertStartKeys = PostgresTables.StartKeys.Insert;

    /// <summary>Outcomes of an action on many runs. An item with an outcome keeps it.</summary>
    public static readonly string DoneItems = $"""
        UPDATE bulk_item i SET outcome = {(int)BulkOutcome.Done} FROM unnest($1::bigint[], $2::int[]) AS d(bulk_id, seq)
        WHERE i.bulk_id = d.bulk_id AND i.seq = d.seq AND i.outcome = {(int)BulkOutcome.Pending}
        """;

    public static readonly string InsertTags = PostgresTables.Tags.Text;

    public static readonly string InsertOutbox = PostgresTables.Outbox.Text;

    public static readonly string StartKeys = PostgresTables.StartKeys.Load;

    public static readonly string InsertInbox = PostgresTables.Inbox.Insert;

    public static readonly string ConsumeInbox = PostgresTables.Inbox.Consume;

    /// <summary>
    /// Numbers events under the stream row's lock: without gaps, in order of commit, and visible in that order. The caller counts the
    /// events of each run ($2: totals by run) and their places ($4); with window functions instead the statement took 3 ms, not 0.3.
    /// </summary>
    public const string AppendEvents = """
        WITH s AS MATERIALIZED (
            INSERT INTO stream (run_id, next, read_to, reader_until)
            SELECT k.run_id, k.total, -1, 0 FROM unnest($1::bigint[], $2::bigint[]) AS k(run_id, total) ORDER BY k.run_id
            ON CONFLICT (run_id) DO UPDATE SET next = stream.next + excluded.next
            RETURNING run_id, next)
        INSERT INTO event (run_id, seq, type, value, internal, created_at)
        SELECT e.run_id, s.next - e.left_over, e.type, e.value, e.internal, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
        FROM s JOIN unnest($3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::boolean[]) AS e(run_id, left_over, type, value, internal) ON e.run_id = s.run_id
        """;

    /// <summary>
    /// Log lines of reports, numbered under the locks of their jobs ($13): see <see cref="LogLines.LockKeys"/>. The count is what has the locks taken
    /// before the first line gets its id.
    /// </summary>
    public static readonly string InsertLines = $"""
        WITH jobs AS MATERIALIZED (SELECT pg_advisory_xact_lock(hashtextextended(k, 0)) FROM unnest($13::text[]) AS k)
        INSERT INTO log ({LineRows.Names}) SELECT {LineRows.Values} FROM {LineRows.Each} WHERE (SELECT count(*) FROM jobs) > 0
        """;

    /// <summary>Adds to the sizes of logs, in the order of the rows; those that are cut are left out.</summary>
    public const string ChargeLogs = """
        INSERT INTO log_size AS s (run_id, workflow, step, bytes, is_cut)
        SELECT k.run_id, k.workflow, k.step, k.bytes, false FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[]) AS k(run_id, workflow, step, bytes)
        ON CONFLICT (run_id, workflow, step) DO UPDATE SET bytes = s.bytes + excluded.bytes WHERE NOT s.is_cut
        RETURNING run_id, workflow, step, bytes
        """;

    public const string CutLogs = """
        UPDATE log_size s SET bytes = k.bytes, is_cut = true
        FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[]) AS k(run_id, workflow, step, bytes)
        WHERE s.run_id = k.run_id AND s.workflow = k.workflow AND s.step = k.step
        """;

    public static readonly string Heartbeat = $"""
        WITH clock AS MATERIALIZED (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now)
        UPDATE step s SET expires_at = least((SELECT now FROM clock) + s.lease_secs * 1000000::bigint, s.deadline), ahead = false,
            progress = coalesce({Leases["progress"]}, s.progress)
        FROM {Leases.Each}
        WHERE s.run_id = {Leases["run_id"]} AND s.idx = {Leases["idx"]}
            AND s.fence = coalesce({Leases["fence"]}, s.fence) AND s.worker = coalesce({Leases["worker"]}, s.worker)
            AND ((s.status = 2 AND coalesce(s.deadline > (SELECT now FROM clock), true)) OR (s.status = 7 AND s.expires_at > (SELECT now FROM clock)))
        RETURNING s.run_id, s.idx, s.fence, s.worker, s.status, (SELECT phase FROM run WHERE id = s.run_id)
        """;

    /// <summary>
    /// Hands out from one queue: the first rows of the claim index, from its cursor on, that no other transaction is taking. A step that another
    /// transaction has locked is skipped, not waited for.
    /// </summary>
    public static readonly string ClaimOne = Claim("""
        SELECT ctid AS place, run_id FROM step
        WHERE queue_id = ($4::int[])[1] AND status = 1 AND rank >= ($7::bigint[])[1] AND rank <= (SELECT now FROM clock) AND due <= (SELECT now FROM clock)
        ORDER BY rank, due, idx LIMIT $6 FOR UPDATE SKIP LOCKED
        """);

    /// <summary>
    /// Hands out from several queues, by priority and then in order. Candidates are read without locks and only those that are taken are
    /// locked. With the lock inside the first LATERAL, a claim held the first rows of every queue and others found nothing. They are locked
    /// by their place. As a plain join, a plan made while the table was empty read the whole claim index with its dead entries.
    /// That was a fifth of the server's work. So many candidates of each queue ($8) that others may be taking the first of them.
    /// </summary>
    public static readonly string ClaimMany = Claim("""
        SELECT s.place, s.run_id
        FROM (
            SELECT c.*, q.priority
            FROM unnest($4::int[], $5::int[], $7::bigint[]) AS q(id, priority, mark)
            CROSS JOIN LATERAL (
                SELECT ctid AS place, idx, rank, due FROM step
                WHERE queue_id = q.id AND status = 1 AND rank >= q.mark AND rank <= (SELECT now FROM clock) AND due <= (SELECT now FROM clock)
                ORDER BY rank, due, idx LIMIT $8) c
            ORDER BY q.priority DESC, c.rank, c.due, c.idx) c
        CROSS JOIN LATERAL (SELECT ctid AS place, run_id FROM step WHERE ctid = c.place AND status = 1 FOR UPDATE SKIP LOCKED) s
        ORDER BY c.priority DESC, c.rank, c.due, c.idx LIMIT $6
        """);

    private const string LimitedPage = """
        FROM step
        WHERE queue_id = q.id AND status = 1 AND rank >= q.rank AND (rank, due, idx) >= (q.rank, q.due, q.idx)
            AND rank <= (SELECT now FROM clock) AND due <= (SELECT now FROM clock)
        ORDER BY rank, due, idx
        """;

    /// <summary>
    /// Steps of these workflows ($5) among the next rows ($6) of each queue, without locks. It walks no further than the last step that it returns
    /// ($7): nested loops keep the order of the index, so nothing is sorted.
    /// </summary>
    public const string FindLimited = $"""
        WITH clock AS MATERIALIZED (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now)
        SELECT q.ord, c.run_id, c.idx, c.rank, c.due
        FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::int[]) WITH ORDINALITY AS q(id, rank, due, idx, ord)
        CROSS JOIN LATERAL (
            SELECT s.* FROM (SELECT run_id, rank, due, idx {LimitedPage} LIMIT $6) s
            CROSS JOIN LATERAL (SELECT FROM run WHERE id = s.run_id AND workflow = ANY($5::text[]) OFFSET 0) r
            ORDER BY s.rank, s.due, s.idx LIMIT $7) c
        """;

    /// <summary>The clock, and for each queue where the page after that many rows ($5) begins, or how many rows are left where there is none.</summary>
    public const string PageEnds = $"""
        WITH clock AS MATERIALIZED (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now)
        SELECT q.ord, (SELECT now FROM clock), e.rank, e.due, e.idx, CASE WHEN e.rank IS NULL THEN (SELECT count(*) FROM (SELECT 1 {LimitedPage}) p) END
        FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::int[]) WITH ORDINALITY AS q(id, rank, due, idx, ord)
        LEFT JOIN LATERAL (SELECT rank, due, idx {LimitedPage} OFFSET $5 LIMIT 1) e ON true
        """;

    /// <summary>Hands out those of the found steps that are still ready and that no other transaction is taking. Plus zero keeps the planner from the claim index.</summary>
    public static readonly string ClaimFound = Claim("""
        SELECT s.place, s.run_id FROM unnest($4::bigint[], $5::int[]) WITH ORDINALITY AS k(run_id, idx, ord)
        CROSS JOIN LATERAL (
            SELECT ctid AS place, run_id FROM step
            WHERE run_id = k.run_id AND idx = k.idx AND status + 0 = 1 AND due <= (SELECT now FROM clock) FOR UPDATE SKIP LOCKED) s
        ORDER BY k.ord LIMIT $6
        """, ahead: "false");

    // By place, not by key. Each look-up by key is another descent of an index as large as the history, and a fifth of what a claim read
    // was that. A row that is locked stays where it is. One that moved between the snapshot and the lock is not found and not handed
    // out: the next claim gets it. The claim of each step is read by subscript: joined by number instead, 256 claims cost 65,000 comparisons.
    private static string Claim(string picked, string ahead = "coalesce(($9::boolean[])[p.ord], false)") => $"""
        WITH clock AS MATERIALIZED (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now),
        picked AS MATERIALIZED ({picked}),
        numbered AS MATERIALIZED (SELECT place, run_id, (row_number() OVER ())::int AS ord FROM picked)
        UPDATE step s SET status = 2, worker = ($1::text[])[p.ord], fence = ($2::bigint[])[p.ord], lease_secs = coalesce(($3::int[])[p.ord], s.lease_secs),
            granted_at = (SELECT now FROM clock), deadline = least((SELECT now FROM clock) + s.attempt_ms * 1000, s.total_deadline),
            expires_at = least((SELECT now FROM clock) + coalesce(($3::int[])[p.ord], s.lease_secs) * 1000000::bigint, (SELECT now FROM clock) + s.attempt_ms * 1000, s.total_deadline),
            begun_at = coalesce(s.begun_at, (SELECT now FROM clock)), ahead = {ahead}
        FROM numbered p
        JOIN run r ON r.id = p.run_id
        WHERE s.ctid = p.place
        RETURNING {PostgresTables.Claimed.List}
        """;

    public static readonly IReadOnlyList<string> Purge =
    [
        "DELETE FROM step WHERE run_id = ANY($1)", "DELETE FROM step_attempt WHERE run_id = ANY($1)", "DELETE FROM event WHERE run_id = ANY($1)", "DELETE FROM stream WHERE run_id = ANY($1)",
        "DELETE FROM inbox WHERE run_id = ANY($1)", "DELETE FROM log WHERE run_id = ANY($1)", "DELETE FROM log_size WHERE run_id = ANY($1)", "DELETE FROM run_tag WHERE run_id = ANY($1)",
        "DELETE FROM run WHERE id = ANY($1)",
    ];

    public const string ReserveIds = """
        INSERT INTO counter (name, next) VALUES ('run', 1 + $1) ON CONFLICT (name) DO UPDATE SET next = counter.next + $1 RETURNING next - $1
        """;
}
