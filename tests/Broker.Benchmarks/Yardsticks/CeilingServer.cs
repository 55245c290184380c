using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Broker.Benchmarks.Yardsticks;

/// <summary>The claim and the completion as endpoints that keep everything in memory: the most that HTTP and JSON allow here.</summary>
internal static class CeilingServer
{
    public static async Task<int> RunAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.ConfigureHttpJsonOptions(options =>
        {
            options.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
            options.SerializerOptions.TypeInfoResolverChain.Insert(0, CeilingJson.Default);
        });
        await using var app = builder.Build();
        var leases = new ConcurrentDictionary<string, long>();
        long granted = 0;
        app.MapPost("/api/jobs/claim", (CeilingClaim claim) =>
        {
            var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
            var lease = Guid.NewGuid().ToString();
            leases[lease] = now;
            var job = Interlocked.Increment(ref granted).ToString(CultureInfo.InvariantCulture);
            return new CeilingGrant(
                new(job, "5b1c", "true", claim.Labels, new(0, "None"), 0, [], now, 0),
                new(lease, job, "5b1c", claim.WorkerId, 30, now));
        });
        app.MapPost("/api/jobs/{lease}/complete", (string lease, CeilingReport report) =>
            leases.TryRemove(lease, out _) && report.Outputs.Count == 0 ? Results.Ok() : Results.Conflict());
        var port = Environment.GetEnvironmentVariable("PORT")!;
        app.Urls.Add($"http://127.0.0.1:{port}");
        await app.StartAsync();
        await Console.Out.WriteLineAsync($"Server listening on http://localhost:{port}");
        await app.WaitForShutdownAsync();
        return 0;
    }
}

internal sealed record CeilingClaim(string WorkerId, string[] Labels);

internal sealed record CeilingReport(Dictionary<string, string> Outputs);

internal sealed record CeilingGrant(CeilingJob Job, CeilingLease Lease);

internal sealed record CeilingRetry(int MaxRetries, string Backoff);

internal sealed record CeilingJob(
    string JobId,
    string WorkflowId,
    string Command,
    string[] RequiredLabels,
    CeilingRetry RetryPolicy,
    int Attempt,
    Dictionary<string, string> UpstreamOutputs,
    long EnqueuedAtMs,
    long DelayedUntilMs);

internal sealed record CeilingLease(string LeaseId, string JobId, string WorkflowId, string WorkerId, int TtlSecs, long GrantedAtMs);

[JsonSerializable(typeof(CeilingClaim))]
[JsonSerializable(typeof(CeilingReport))]
[JsonSerializable(typeof(CeilingGrant))]
internal sealed partial class CeilingJson : JsonSerializerContext;
