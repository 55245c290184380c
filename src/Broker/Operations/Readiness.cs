using System.Text.Json;
using System.Text.Json.Serialization;
using Broker.Http;
using Broker.Operators;
using Broker.Startup;

namespace Broker.Operations;

/// <summary>Part of the host that reports why a balancer should send no requests, at the start or at the stop.</summary>
internal interface IReadiness
{
    /// <summary>Null when ready; else the reason, for people.</summary>
    Task<string?> FaultAsync(CancellationToken ct);
}

/// <summary>The two probes: <c>/livez</c> says that the process answers, <c>/readyz</c> that it can do its work.</summary>
internal static class Probes
{
    public const string Live = "/livez", Ready = "/readyz";

    public const string Tag = "Operations";

    private const string Unavailable = "unavailable";

    // A probe must answer although the database hangs: orchestrators time out after a few seconds.
    private static readonly TimeSpan PartTimeout = TimeSpan.FromSeconds(4);

    public static void MapProbes(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(Live, LiveAsync).AllowAnonymous().WithMetadata(AnswersBeforeStart.Mark).WithName("Live").WithTags(Tag).WithSummary("The process answers")
            .Produces<Probe>(200, JsonAnswer.ContentType);
        routes.MapGet(Ready, ReadyAsync).AllowAnonymous().WithMetadata(AnswersBeforeStart.Mark).WithName("Ready").WithTags(Tag).WithSummary("The database answers and has the schema of this program")
            .Produces<Probe>(200, JsonAnswer.ContentType).Produces<Probe>(503, JsonAnswer.ContentType);
    }

    private static Task LiveAsync(HttpResponse response) => AnswerAsync(response, null);

    private static async Task ReadyAsync(HttpContext http, IEnumerable<IReadiness> parts, IHostApplicationLifetime lifetime) =>
        await AnswerAsync(http.Response, await FaultAsync(parts, lifetime, http.RequestAborted));

    private static async Task<string?> FaultAsync(IEnumerable<IReadiness> parts, IHostApplicationLifetime lifetime, CancellationToken ct)
    {
        if (lifetime.ApplicationStopping.IsCancellationRequested) return "stopping";
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(PartTimeout);
        try
        {
            foreach (var part in parts)
            {
                // The driver ignores the token in some of its waits.
                if (await part.FaultAsync(limit.Token).WaitAsync(PartTimeout, ct) is { } fault) return fault;
            }

            return null;
        }
        catch (Exception slow) when (slow is TimeoutException || (slow is OperationCanceledException && !ct.IsCancellationRequested))
        {
            return "the database does not answer in time";
        }
    }

    private static Task AnswerAsync(HttpResponse response, string? fault)
    {
        response.Headers.CacheControl = "no-store";
        return JsonAnswer.SendAsync(response, fault is null ? 200 : 503, fault, static (json, reason) => Write(json, reason));
    }

    private static void Write(Utf8JsonWriter json, string? fault)
    {
        json.WriteStartObject();
        json.WriteString("status", fault is null ? "ok" : Unavailable);
        if (fault is not null)
        {
            json.WriteString("reason", fault);
            json.WriteString("type", ProblemCodes.TypeOf(Unavailable));
            json.WriteString("code", Unavailable);
        }

        json.WriteEndObject();
    }
}

/// <summary>Whether the host is well. The members behind the status are there only when it is not.</summary>
/// <param name="Status">ok, or unavailable with a 503.</param>
/// <param name="Reason">The reason, for people.</param>
/// <param name="Type">URI of the kind of problem.</param>
/// <param name="Code">Stable word of the kind of problem.</param>
internal sealed record Probe(
    [property: JsonPropertyName("status"), Words("ok", "unavailable")] string Status,
    [property: JsonPropertyName("reason")] string? Reason,
    [property: JsonPropertyName("type")] string? Type,
    [property: JsonPropertyName("code"), ProblemWords] string? Code);

internal static class OperationsExamples
{
    public const string Probe = """{"status": "ok"}""";
}
