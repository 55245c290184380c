namespace Broker.Operators;

/// <summary>Examples of webhooks' records.</summary>
internal static class WebhookExamples
{
    public const string Webhook = $$"""{ {{Members}} }""";

    public const string CreatedWebhook = $$"""{ {{Members}}, "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=" }""";

    public const string NewWebhook = """{"url": "https://hooks.example.com/broker", "events": ["run.failed", "queue.starved"], "where": "workflow=ci tag.branch=main"}""";

    public const string WebhookChange = """{"enabled": true}""";

    public const string WebhookDelivery = $$$"""
        {"id": 4711, "message_id": "msg_5b2d4c1e8f9a0b1c2d3e4f507c0e6a3f", "type": "run.failed", "status": "pending", "attempts": 2, "created_at": "2030-01-31T12:00:00.25Z",
         "next_at": "2030-01-31T12:00:17Z", "http_status": 500, "error": "the receiver refused it", "took_ms": 12, "payload": {{{WebhookEvent}}} }
        """;

    public const string WebhookEvent = """
        {"type": "run.failed", "timestamp": "2030-01-31T12:00:00Z",
         "data": {"workflow": "ci", "instance": "build-812", "run": 2, "version": "7", "error": {"name": "TimeoutError", "message": "upstream 7 did not answer"}}}
        """;

    private const string Members = """
        "id": "q3v9k2m1x8ab", "url": "https://hooks.example.com/broker", "events": ["run.failed", "queue.starved"], "where": "workflow=ci tag.branch=main", "enabled": true,
         "failures": 0, "created_by": "q3v9k2m1x8ab", "created_at": "2030-01-31T11:00:00Z", "updated_at": "2030-01-31T11:00:00Z"
        """;
}
