using System.Globalization;
using System.Text.Json.Serialization;
using Broker.Auth;
using Broker.Http;
using Broker.Operations;
using Broker.Storage.Contracts;

namespace Broker.Audit;

/// <summary>Reading the audit trail.</summary>
internal static class AuditRoutes
{
    private const int UsualLimit = 100;
    private const int MaxLimit = 1000;

    public static void MapAudit(this IEndpointRouteBuilder routes) => routes.MapGet("/api/audit", ListAsync)
        .RequireScope(Scope.Admin).WithName("ListAudit").WithTags(Probes.Tag).WithSummary("Who did what, newest first")
        .WithDescription(
            "Each condition is exact. `since`: an instant such as 2030-01-31T12:00:00Z. `limit`: 1 to 1000, default 100. `cursor`: from the page before. "
            + "Actions: start, cancel, terminate, pause, resume, restart, purge, register, register_worker, register_repository, create_key, revoke_key.")
        .Produces<AuditPageDto>(200, JsonAnswer.ContentType).ProducesProblem(400);

    private static async Task ListAsync(
        HttpContext http, IAuditStore store, AuditTrail trail, string? action, string? workflow, string? key, string? since, string? limit, string? cursor)
    {
        DateTimeOffset? from = null;
        if (since is not null)
        {
            // An instant without an offset is UTC: an answer must not depend on the server's time zone.
            if (!DateTimeOffset.TryParse(since, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var instant))
            {
                await ProblemAnswer.SendAsync(http, StatusCodes.Status400BadRequest, "since: expected an instant such as 2030-01-31T12:00:00Z");
                return;
            }

            from = instant;
        }

        var take = UsualLimit;
        if (limit is not null && (!int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out take) || take is < 1 or > MaxLimit))
        {
            await ProblemAnswer.SendAsync(http, StatusCodes.Status400BadRequest, $"limit: expected an integer from 1 to {MaxLimit}");
            return;
        }

        var before = 0L;
        if (cursor is not null && !long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out before))
        {
            await ProblemAnswer.SendAsync(http, StatusCodes.Status400BadRequest, "cursor: expected the cursor of a page before");
            return;
        }

        await trail.FlushAsync(http.RequestAborted);
        var page = await store.ReadAsync(new(action, workflow, key, from, cursor is null ? null : before), take, http.RequestAborted);
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, page, static (json, page) =>
        {
            json.WriteStartObject();
            json.WriteStartArray("entries");
            foreach (var entry in page.Rows)
            {
                json.WriteStartObject();
                json.WriteString("at", entry.At);
                json.WriteString("key", entry.Key);
                json.WriteString("action", entry.Action);
                json.WriteString("workflow", entry.Workflow);
                json.WriteString("instance_id", entry.InstanceId);
                json.WriteString("detail", entry.Detail);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteString("cursor", page.HasMore ? page.Rows[^1].Id.ToString(CultureInfo.InvariantCulture) : null);
            json.WriteEndObject();
        });
    }
}

/// <summary>One page of the audit trail.</summary>
internal sealed record AuditPageDto(
    [property: JsonPropertyName("entries")] IReadOnlyList<AuditEntryDto> Entries,
    [property: JsonPropertyName("cursor")] string? Cursor);

/// <summary>Entry of the audit trail: <c>key</c> is the id of an API key, or anonymous, broker or command-line.</summary>
internal sealed record AuditEntryDto(
    [property: JsonPropertyName("at")] DateTimeOffset At,
    [property: JsonPropertyName("key")] string Key,
    [property: JsonPropertyName("action")] string Action,
    [property: JsonPropertyName("workflow")] string? Workflow,
    [property: JsonPropertyName("instance_id")] string? InstanceId,
    [property: JsonPropertyName("detail")] string? Detail);

internal static class AuditExamples
{
    public const string AuditEntryDto =
        """{"at": "2030-01-31T12:00:00.25+00:00", "key": "q3v9k2m1x8ab", "action": "cancel", "workflow": "ci", "instance_id": "ci", "detail": null}""";

    public const string AuditPageDto = $$"""{"entries": [{{AuditEntryDto}}], "cursor": "4711"}""";
}
