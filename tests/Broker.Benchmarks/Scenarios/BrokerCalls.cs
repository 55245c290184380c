using System.Globalization;
using System.Text.Json;
using Broker.Benchmarks.Http;

namespace Broker.Benchmarks.Scenarios;

/// <summary>Calls that several scenarios make; a status that was not expected is an error with the answer's text.</summary>
internal static class BrokerCalls
{
    private const int MostInstancesInABatch = 100;

    public static async ValueTask<Answer> ExpectAsync(this ValueTask<Answer> call, params int[] statuses)
    {
        var answer = await call;
        return statuses.Contains(answer.Status)
            ? answer
            : throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"The broker answered {answer.Status}: {answer.Text}"));
    }

    /// <summary>Stores a jobs definition and answers its id.</summary>
    public static async Task<string> DefineJobsAsync(this RawConnection connection, byte[] definition, CancellationToken ct)
    {
        var stored = await connection.PostAsync("/api/workflows", definition, ct).ExpectAsync(201);
        // Jobs have an "id" too, so this one is looked up where it stands.
        using var workflow = JsonDocument.Parse(stored.Body);
        return workflow.RootElement.GetProperty("id").GetString()!;
    }

    /// <summary>Starts this many instances of a workflow, a hundred a request.</summary>
    public static async Task StartInstancesAsync(
        this RawConnection connection, string workflow, int count, string prefix, CancellationToken ct)
    {
        for (var started = 0; started < count; started += MostInstancesInABatch)
        {
            var batch = InstanceBatch(prefix, started, Math.Min(MostInstancesInABatch, count - started));
            await connection.PostAsync($"/api/workflows/{workflow}/instances/batch", batch, ct).ExpectAsync(200);
        }
    }

    public static byte[] InstanceBatch(string prefix, int first, int count) => Bodies.Json(new
    {
        instances = Enumerable.Range(first, count).Select(i => new { id = string.Create(CultureInfo.InvariantCulture, $"{prefix}-{i}") }),
    });

    /// <summary>The lease of one claimed job; null when there was nothing.</summary>
    public static async ValueTask<string?> ClaimAsync(this RawConnection connection, byte[] claim, CancellationToken ct)
    {
        var answer = await connection.PostAsync("/api/jobs/claim", claim, ct).ExpectAsync(200);
        return JsonScan.First(answer.Body.Span, "lease_id"u8);
    }

    public static async ValueTask<List<string>> ClaimManyAsync(this RawConnection connection, byte[] claim, CancellationToken ct)
    {
        var answer = await connection.PostAsync("/api/jobs/claim", claim, ct).ExpectAsync(200);
        return JsonScan.GrantedLeases(answer.Body.Span);
    }

    public static async ValueTask CompleteAsync(this RawConnection connection, string lease, CancellationToken ct) =>
        await connection.PostAsync($"/api/jobs/{lease}/complete", Bodies.NoOutputs, ct).ExpectAsync(200);

    /// <summary>Reports in one request and answers the leases that were claimed with it. Every report must have been accepted.</summary>
    public static async ValueTask<List<string>> CompleteManyAsync(this RawConnection connection, byte[] reports, CancellationToken ct)
    {
        var answer = await connection.PostAsync("/api/jobs/complete", reports, ct).ExpectAsync(200);
        return answer.Body.Span.IndexOf("\"accepted\":false"u8) < 0
            ? JsonScan.GrantedLeases(answer.Body.Span)
            : throw new InvalidDataException($"A report was refused: {answer.Text}");
    }
}
