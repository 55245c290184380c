namespace Broker.Api.HandlersDialect;

/// <summary>Examples for /openapi.json, each named like the type it is an example of.</summary>
internal static class HandlersExamples
{
    public const string HandlerDto = """
        {"handler_id": "Q7fK2mZx0a", "workflow_name": "invoice", "run_id": "run_1f", "error": null, "result": {"total": 12.5},
         "status": "completed", "started_at": "2026-03-01T09:15:02.104233+00:00", "updated_at": "2026-03-01T09:15:03.220001+00:00",
         "completed_at": "2026-03-01T09:15:03.220001+00:00"}
        """;

    public const string HandlersListDto = $$"""{"handlers": [{{HandlerDto}}]}""";
    public const string StatusDto = """{"status": "healthy"}""";
    public const string HandlersErrorDto = """{"detail": "Handler not found"}""";
    public const string WorkflowNamesDto = """{"workflows": ["greet", "invoice"]}""";
    public const string RunRequestDto = """{"start_event": {"order": 4711, "currency": "EUR"}, "context": {}}""";

    public const string WorkflowSchemaDto = """
        {"start": {"title": "StartEvent", "type": "object", "properties": {"order": {"type": "integer"}}, "required": ["order"]},
         "stop": {"title": "StopEvent", "type": "object", "properties": {}}}
        """;

    public const string WorkflowEventsDto = """
        {"events": [{"title": "StartEvent", "type": "object", "properties": {"order": {"type": "integer"}}, "required": ["order"]},
                    {"title": "StopEvent", "type": "object", "properties": {}}]}
        """;

    public const string WorkflowGraphDto = """
        {"graph": {"name": "invoice", "description": null,
          "nodes": [
            {"id": "total", "label": "total", "node_type": "step", "title": null, "event_type": null, "description": null},
            {"id": "StopEvent", "label": "StopEvent", "node_type": "event", "title": null, "event_type": "StopEvent",
             "event_types": ["StopEvent"], "event_schema": {"title": "StopEvent", "type": "object", "properties": {}}}],
          "edges": [{"source": "total", "target": "StopEvent", "label": null}]}}
        """;

    public const string StreamEventDto = """{"value": {"pct": 40}, "qualified_name": "invoice.Progress", "type": "Progress", "types": null}""";
    public const string SendEventDto = """{"event": {"type": "NameGiven", "value": {"name": "Ada"}}, "step": "await_name", "id": "mail-4711"}""";
}
