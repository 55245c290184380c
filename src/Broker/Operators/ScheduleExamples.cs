namespace Broker.Operators;

/// <summary>Examples of schedules' records.</summary>
internal static class ScheduleExamples
{
    public const string ScheduleSpec = """{"workflow": "ci", "cron": "0 3 * * *", "timezone": "Europe/Berlin", "inputs": {"branch": "main"}, "overlap": "skip", "catch_up": {"window_ms": 3600000, "runs": "latest"}}""";

    public const string Schedule = """
        {"name": "nightly", "workflow": "ci", "owned": false, "cron": ["0 3 * * *"], "timezone": "Europe/Berlin", "overlap": "skip", "catch_up": {"window_ms": 3600000, "runs": "latest", "most": 10},
         "jitter_ms": 0, "pause_on_failure": false, "inputs": {"branch": "main"}, "next": "2030-02-01T02:00:00Z", "last_instance": "nightly-20300131T020000Z", "last_at": "2030-01-31T02:00:00.4Z",
         "started": 41, "skipped": 1, "created_by": "q3v9k2m1x8ab", "created_at": "2029-12-20T09:00:00Z", "updated_at": "2029-12-20T09:00:00Z"}
        """;

    public const string ScheduleNext = """{"schedule": "nightly", "instants": [{"nominal": "2030-02-01T02:00:00Z", "starts_at": "2030-02-01T02:00:00Z", "local": "2030-02-01T03:00:00+01:00"}]}""";

    public const string ScheduleFiring = """
        {"id": 812, "kind": "planned", "status": "skipped", "nominal": "2030-01-30T02:00:00Z", "count": 1, "reason": "overlap", "at": "2030-01-30T02:00:00.4Z"}
        """;

    public const string ScheduleBackfill = """{"from": "2030-01-28T00:00:00Z", "to": "2030-01-30T00:00:00Z", "overlap": "queue_all", "dry_run": true}""";

    public const string BackfillPlan = """{"schedule": "nightly", "instants": ["2030-01-28T02:00:00Z", "2030-01-29T02:00:00Z"], "dry_run": true}""";
}
