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
         "lineage": {"runs": [2, 1, 0], "instance_created_at": "2030-01-31T11:40:00Z"},
         "actions": [{"name": "cancel", "allowed": false, "why_not": "The run has ended (failed)."}, {"name": "restart", "allowed": true}], "as_of": "2030-01-31T12:00:00.25Z"}
        """;

    private const string SummaryMembers = """
        "workflow": "ci", "instance": "build-812", "run": 2, "last_run": 2, "status": "failed", "version": "7",
         "created_at": "2030-01-31T11:58:48Z", "started_at": "2030-01-31T11:58:49.5Z", "updated_at": "2030-01-31T12:00:00Z", "ended_at": "2030-01-31T12:00:00Z", "duration_ms": 70500,
         "steps": {"total": 9, "done": 4, "failed": 1, "running": 0}, "current": [], "error": {"step": "test", "name": "TimeoutError", "message": "upstream 7 did not answer"}
        """;
}
