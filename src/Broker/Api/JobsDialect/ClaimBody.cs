using System.Text.Json;
using Broker.Core.Runs;
using Broker.Engine;

namespace Broker.Api.JobsDialect;

/// <summary>A claim as it was asked for. <paramref name="Many"/>: the answer is an array, since a count was given.</summary>
internal readonly record struct ClaimBody(ClaimRequest Request, TimeSpan Wait, bool Many)
{
    private const int DefaultLeaseSecs = 30;

    // A year: longer ones would leave the range of instants.
    private const int LongestLeaseSecs = 365 * 24 * 60 * 60;

    public static ClaimBody Read(JsonElement body, string path, JobsReader reader)
    {
        if (!reader.IsObject(body, path)) return default;
        var lease = reader.Integer(body, "lease_ttl_secs", path, 0, long.MaxValue, DefaultLeaseSecs);
        var request = new ClaimRequest(
            reader.Id(body, "worker_id", path),
            ClaimScope.ByLabels,
            reader.Names(body, "labels", path, required: true),
            (int)reader.Integer(body, "count", path, 1, reader.Limits.Batch, 1),
            (int)Math.Min(lease, LongestLeaseSecs))
        {
            ClaimId = JobsReader.Has(body, "claim_id") ? reader.Name(body, "claim_id", path) : null,
        };
        var wait = reader.Integer(body, "wait", path, 0, BrokerEngine.MaxWaitSecs, 0);
        return new(request, TimeSpan.FromSeconds(wait), JobsReader.Has(body, "count"));
    }
}
