namespace Broker.Operators;

/// <summary>Examples of the records of this API.</summary>
internal static class OperatorExamples
{
    public const string Me =
        """{"key": "q3v9k2m1x8ab", "anonymous": false, "scopes": ["read", "manage"], "workflows": ["ci"], "version": "1.0.0", "features": ["runs", "where"]}""";

    public const string OperatorProblem = """
        {"type": "urn:broker:problem:invalid_where", "title": "Bad Request", "status": 400, "detail": "where, column 8: expected one of queued, running, waiting", "code": "invalid_where",
         "request_id": "0HNA5F2K9Q3V7:00000001", "place": "query.where", "column": 8}
        """;

    public const string RunSummary = $$"""{ {{SummaryMembers}} }""";

    public const string RunCount = """{"count": 10000, "capped": true, "complete": true, "as_of": "2030-01-31T12:00:00.25Z"}""";

    public const string RunDetail = $$$"""
        { {{{SummaryMembers}}}, "inputs": {"branch": "main"}, "context": {"cache": "warm"}, "definition": {"version": "7", "fingerprint": "3f9c2a77d01e"},
         "lineage": {"runs": [2, 1, 0], "instance_created_at": "2030-01-31T11:40:00Z", "from": {"workflow": "ci", "instance": "build-812", "run": 1}},
         "actions": [{"name": "cancel", "allowed": false, "why_not": "The run has ended (failed)."}, {"name": "restart", "allowed": true}], "as_of": "2030-01-31T12:00:00.25Z"}
        """;

    public const string StepSummary = $$"""{ {{StepMembers}} }""";

    public const string StepDetail = $$$"""
        { {{{StepMembers}}}, "workflow": "ci", "instance": "build-812", "run": 2, "run_status": "running", "labels": ["gpu"], "max_retries": 3,
         "predecessors": [{"step": "checkout", "status": "succeeded"}], "successors": [{"step": "deploy", "status": "pending"}], "causes": [{{{StepCause}}}]}
        """;

    public const string StepCause = """{"code": "no_worker", "message": "No worker with the label gpu has ever been seen.", "labels": ["gpu"]}""";

    public const string StepStates = """{"run": 2, "status": "failed", "words": ["succeeded", "failed", "not_run"], "states": [0, 0, 1, 2], "as_of": "2030-01-31T12:00:00.25Z"}""";

    public const string StepItem = """
        {"number": 3, "name": "resize[3]", "status": "succeeded", "attempt": 0, "worker": "w-3", "queued_at": "2030-01-31T11:59:00Z", "begun_at": "2030-01-31T11:59:01Z",
         "ended_at": "2030-01-31T11:59:02Z", "input": {"file": "d.png"}, "output": {"bytes": 4711}}
        """;

    public const string StepItemCounts = """{"count": 100000, "open": 50, "succeeded": 812, "failed": 1, "max_parallel": 50}""";

    public const string StepAttempt = """
        {"attempt": 0, "outcome": "failed", "worker": "w-3", "begun_at": "2030-01-31T11:59:00Z", "ended_at": "2030-01-31T11:59:12Z",
         "error": {"name": "TimeoutError", "message": "upstream 7 did not answer", "exit_code": 1}}
        """;

    public const string CauseGroup = """
        {"code": "no_worker", "message": "No worker with the label gpu has ever been seen.", "advice": "Start a worker with the label gpu.", "runs": 50, "steps": 50,
         "since": "2030-01-31T02:14:00Z", "labels": ["gpu"], "workflows": ["train"], "sample": [{"workflow": "train", "instance": "t-1", "run": 0, "step": "fit"}]}
        """;

    public const string RunExplanation = $$"""{"status": "queued", "causes": [{{CauseGroup}}], "pending": 3, "explained": 1, "open": 1}""";

    public const string RunsExplanation = $$"""{"causes": [{{CauseGroup}}], "runs": 50, "complete": true, "as_of": "2030-01-31T12:00:00.25Z"}""";

    public const string RunEvent = """
        {"id": 1901620800000000, "direction": "in", "type": "approval", "value": {"approved": true}, "at": "2030-01-31T12:00:00Z", "consumed_by": "gate", "consumed_at": "2030-01-31T12:00:00Z"}
        """;

    public const string RunLogLine = """{"id": 41207, "step": "test", "attempt": 2, "stream": "stderr", "level": "error", "at": "2030-01-31T12:00:00Z", "text": "TimeoutError: upstream 7 did not answer"}""";

    public const string LogListing = $$"""{"items": [{{RunLogLine}}], "next": 41207, "complete": true}""";

    public const string WorkflowSummary = """
        {"name": "ci", "version": "7", "kind": "jobs", "steps": 9, "from_file": true, "last_run": {"instance": "build-812", "run": 2, "status": "failed", "created_at": "2030-01-31T11:58:48Z"}}
        """;

    public const string WorkflowText = """{"format": "yaml", "text": "name: ci\non: push\njobs:\n  test:\n    runs-on: linux\n    steps:\n      - run: make test\n", "dry_run": true}""";

    public const string AppliedWorkflow = """{"workflow": "ci", "version": "3f9c2a77d01e", "before": "81be02d7c4f0", "outcome": "updated", "steps": 9, "dry_run": true}""";

    public const string WorkflowDetail = """
        {"name": "approval", "version": "3", "is_latest": true, "fingerprint": "3f9c2a77d01e", "kind": "steps", "registered_at": "2030-01-31T09:00:00Z",
         "steps": [{"name": "gate", "kind": "wait_for_event", "predecessors": [], "labels": [], "max_retries": 0, "event": "approval"}],
         "start": {"type": "StartEvent", "schema": {"type": "object"}}, "events": [{"type": "approval", "schema": {"type": "object"}}], "document": {"workflow_id": "approval"}}
        """;

    public const string WorkflowVersion = """{"version": "7", "is_latest": true, "registered_at": "2030-01-31T09:00:00Z", "from_file": true, "withdrawn": false}""";

    public const string WaitingStep = """
        {"workflow": "approval", "instance": "order-7", "run": 0, "step": "gate", "event": "approval", "for_people": true, "since": "2030-01-31T11:20:44Z", "due_at": "2030-01-31T12:35:00Z",
         "overdue": false, "paused": false, "schema": {"type": "object"}}
        """;

    public const string WorkQueue = """{"id": 12, "labels": ["gpu"], "priority": 0, "depth": {"count": 1204, "capped": false}, "oldest_ms": 840000, "leased": 0, "workers_able": 0}""";

    public const string WorkerInfo = """
        {"id": "w-3", "kind": "labelled", "status": "fresh", "labels": ["linux"], "workflows": [], "registered_at": "2030-01-31T09:00:00Z", "seen_at": "2030-01-31T11:59:58Z", "leases": 1,
         "holds": [{"workflow": "ci", "instance": "build-812", "run": 2, "step": "test", "attempt": 2, "lease": "6f0000000000000300000007", "granted_at": "2030-01-31T11:59:48Z", "expires_at": "2030-01-31T12:00:48Z"}],
         "last": {"workflow": "ci", "instance": "build-811", "step": "test", "succeeded": true}}
        """;

    public const string AuditRecord = """{"id": 4711, "at": "2030-01-31T12:00:00.25Z", "key": "q3v9k2m1x8ab", "action": "cancel", "workflow": "ci", "instance": "build-812"}""";

    public const string RunCommand = """{"reason": "wrong branch", "if_run": 2}""";

    public const string RunRetry = """{"steps": ["package"], "reason": "the disk was full", "dry_run": false}""";

    public const string RunFork = """{"from": "package", "instance": "build-812-again", "inputs": {"branch": "main"}, "events": "copy"}""";

    public const string RunRerun = """
        {"workflow": "ci", "instance": "build-812", "run": 3, "kept": ["build", "test"], "runs_again": ["package", "ship"], "dry_run": false}
        """;

    public const string RunChange = """{"workflow": "ci", "instance": "build-812", "run": 2, "status": "cancelled"}""";

    public const string NewEvent = """{"type": "approval", "value": {"approved": true}, "event_id": "mail-4711"}""";

    public const string EventReceipt = """{"outcome": "delivered", "run_status": "waiting"}""";

    public const string NewRun = """{"instance": "build-813", "inputs": {"branch": "main"}, "tags": {"branch": "main"}, "priority": 5}""";

    public const string StartedRun = """{"workflow": "ci", "instance": "build-813", "run": 0, "version": "7", "started": true, "replayed": false, "dry_run": false}""";

    public const string RunTagSet = """{"tags": {"branch": "main"}}""";

    public const string KeyCount = """{"key": "failed", "count": 4812}""";

    public const string RunHistogram = """
        {"from": "2030-01-31T11:00:00Z", "step_ms": 1800000, "series": [{"status": "succeeded", "counts": [812, 790]}, {"status": "failed", "counts": [0, 3]}], "runs": 1605, "complete": true,
         "as_of": "2030-01-31T12:00:00.25Z"}
        """;

    public const string FailureSummary = $$"""
        {"id": "3f9c2a77d01e", "workflow": "ci", "step": "test", "error_name": "TimeoutError", "message": "upstream 7 did not answer", "count": 41, "first_at": "2030-01-31T11:02:00Z",
         "last_at": "2030-01-31T11:59:00Z", "trend": [0, 0, 1, 1, 2, 2, 3, 4, 5, 7, 8, 8], "sample": {{RunAddress}}}
        """;

    public const string FailureGroups = $$"""{"groups": [{{FailureSummary}}], "scanned": 41, "complete": true, "as_of": "2030-01-31T12:00:00.25Z"}""";

    public const string Overview = """
        {"active": [{"key": "waiting", "count": 606}, {"key": "running", "count": 96}], "active_capped": false, "queued": {"depth": 1204, "oldest_ms": 840000}, "starving": 1,
         "failed": {"count": 41, "capped": false}, "failed_before": {"count": 3, "capped": false}, "started": {"count": 1605, "capped": false},
         "waiting": {"people": 12, "overdue": 1, "capped": false}, "workers": {"fresh": 12, "silent": 2, "silent_with_leases": 1, "drained": 0}, "window_ms": 3600000, "complete": true,
         "as_of": "2030-01-31T12:00:00.25Z"}
        """;

    public const string SearchHits = """{"hits": [{"kind": "run", "workflow": "ci", "instance": "build-812", "run": 2, "status": "failed"}, {"kind": "workflow", "workflow": "build"}]}""";

    public const string SystemInfo = $$"""
        {"version": "1.0.0", "database": "postgresql", "started_at": "2030-01-28T12:00:00Z", "keys": 3, "settings": [{"name": "Limits:Streams", "value": "1000"}],
         "paused_starts": [{{HoldInfo}}], "drained_workers": [], "as_of": "2030-01-31T12:00:00.25Z"}
        """;

    public const string HoldInfo = """{"name": "ci", "at": "2030-01-31T11:50:00Z", "by": "q3v9k2m1x8ab", "reason": "the mirror is away"}""";

    public const string MaintenanceState = """{"maintenance": {"name": "broker", "at": "2030-01-31T11:50:00Z", "by": "q3v9k2m1x8ab", "reason": "the mirror is away"}}""";

    public const string HoldCommand = """{"reason": "the mirror is away"}""";

    public const string WorkflowStarts = $$"""{"workflow": "ci", "starts_paused": {{HoldInfo}}}""";

    public const string WorkerOrder = """{"worker": "w-3", "drained": {"name": "w-3", "at": "2030-01-31T11:50:00Z", "by": "q3v9k2m1x8ab", "reason": "new kernel"}, "released": 0}""";

    public const string KeyInfo = """{"id": "q3v9k2m1x8ab", "name": "ci", "scopes": ["read", "create"], "workflows": ["ci"], "created_at": "2030-01-03T09:00:00Z", "last_used_at": "2030-01-31T11:59:48Z"}""";

    public const string SessionInfo =
        """{"id": "4f1c0a9be27d5538", "key": "q3v9k2m1x8ab", "agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", "created_at": "2030-01-31T08:00:00Z", "seen_at": "2030-01-31T11:59:00Z", "expires_at": "2030-02-07T08:00:00Z"}""";

    public const string NewKey = """{"name": "ci", "scopes": ["read", "create"], "workflows": ["ci"]}""";

    public const string CreatedKey = $$"""{"key": "brk_q3v9k2m1x8ab_EXAMPLE", "info": {{KeyInfo}}}""";

    public const string StepCommand = """{"reason": "the disk is back"}""";

    public const string StepCompletion = """{"value": {"approved": true}, "reason": "approved by telephone"}""";

    public const string StepFailing = """{"name": "NoSuchCustomer", "message": "customer 7 is gone", "reason": "it would be tried for a day"}""";

    public const string NewBulk = """{"action": "cancel", "where": "workflow=ci status=failed since=24h", "exclude": [{"workflow": "ci", "instance": "build-812"}], "rate": 200, "reason": "the mirror is away"}""";

    public const string RunAddress = """{"workflow": "ci", "instance": "build-812", "run": 2}""";

    public const string BulkArguments = """{"grace_ms": 30000}""";

    public const string BulkPlan = $$"""
        {"id": 77, "action": "retry", "state": "planned", "as_of": "2030-01-31T12:00:00.25Z", "matched": {"count": 4812, "capped": false}, "complete": true,
         "by_status": [{"key": "failed", "count": 4812}], "by_workflow": [{"key": "ci", "count": 4812}], "qualify": 4800,
         "not_qualify": [{"why": "It is not the instance's newest run.", "count": 12}], "sample": [{{BulkRun}}],
         "confirm": "9f0c6a3f5b2d4c1e8f9a0b1c2d3e4f50", "confirm_until": "2030-01-31T12:10:00.25Z"}
        """;

    public const string BulkRun = """{"workflow": "ci", "instance": "build-812", "run": 2, "status": "failed", "created_at": "2030-01-31T11:58:48Z"}""";

    public const string BulkStart = """{"confirm": "9f0c6a3f5b2d4c1e8f9a0b1c2d3e4f50", "count": 4812}""";

    public const string BulkStop = """{"reason": "the mirror is back"}""";

    public const string BulkState = """
        {"id": 77, "action": "retry", "state": "running", "where": "workflow=ci status=failed", "by": "q3v9k2m1x8ab", "as_of": "2030-01-31T12:00:00.25Z", "created_at": "2030-01-31T12:00:00.25Z",
         "started_at": "2030-01-31T12:00:20Z", "total": 4812, "done": 2100, "failed": 0, "skipped": 12}
        """;

    public const string BulkResult = """{"workflow": "ci", "instance": "build-812", "run": 2, "outcome": "skipped", "code": "no_match", "message": "The run does not fit any more."}""";

    private const string StepMembers = """
        "index": 3, "name": "test", "kind": "task", "status": "ready", "paused": false, "attempt": 2, "losses": 0, "queued_at": "2030-01-31T11:59:12Z", "due_at": "2030-01-31T11:59:42Z",
         "begun_at": "2030-01-31T11:58:50Z", "error": {"name": "TimeoutError", "message": "upstream 7 did not answer"}
        """;

    private const string SummaryMembers = """
        "workflow": "ci", "instance": "build-812", "run": 2, "last_run": 2, "status": "failed", "version": "7",
         "created_at": "2030-01-31T11:58:48Z", "started_at": "2030-01-31T11:58:49.5Z", "updated_at": "2030-01-31T12:00:00Z", "ended_at": "2030-01-31T12:00:00Z", "duration_ms": 70500,
         "steps": {"total": 9, "done": 4, "failed": 1, "running": 0}, "current": [], "error": {"step": "test", "name": "TimeoutError", "message": "upstream 7 did not answer"}
        """;
}
