using System.Threading.RateLimiting;
using Broker.Http;
using Broker.Settings;
using Microsoft.AspNetCore.RateLimiting;

namespace Broker.Operations;

/// <summary>How many requests one client may send. Without a limit nothing of this is there.</summary>
internal static class RequestRates
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    public static void AddRequestRates(this IServiceCollection services, BrokerSettings settings)
    {
        if (settings.Limits.RequestsPerSecond > 0) services.AddRateLimiter(_ => { });
    }

    /// <summary>After routing, so that the answer has the form of the dialect that was asked. The options are the broker's own: an application may limit its routes by others.</summary>
    public static void UseRequestRates(this IApplicationBuilder app, BrokerSettings settings)
    {
        if (settings.Limits.RequestsPerSecond > 0) app.UseRateLimiter(OptionsOf(settings));
    }

    private static RateLimiterOptions OptionsOf(BrokerSettings settings)
    {
        var rate = settings.Limits.RequestsPerSecond;
        var bucket = new TokenBucketRateLimiterOptions
        {
            TokenLimit = settings.Limits.RequestBurst > 0 ? settings.Limits.RequestBurst : 2 * rate,
            TokensPerPeriod = rate,
            ReplenishmentPeriod = Second,
        };
        return new RateLimiterOptions
        {
            RejectionStatusCode = StatusCodes.Status429TooManyRequests,
            GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(http => IsProbe(http)
                ? RateLimitPartition.GetNoLimiter("")
                : RateLimitPartition.GetTokenBucketLimiter(Clients.NameOf(http), _ => bucket)),
            OnRejected = (rejected, _) => RejectAsync(rejected, rate),
        };
    }

    private static bool IsProbe(HttpContext http) => http.Request.Path.Value is Probes.Live or Probes.Ready or "/health";

    private static async ValueTask RejectAsync(OnRejectedContext rejected, int rate)
    {
        var wait = rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var given) && given > Second ? given : Second;
        rejected.HttpContext.Response.Headers.RetryAfter = ((int)Math.Ceiling(wait.TotalSeconds)).ToString(System.Globalization.CultureInfo.InvariantCulture);
        await DialectErrorFormat.SendAsync(
            rejected.HttpContext, StatusCodes.Status429TooManyRequests, $"Too many requests: at most {rate} a second are answered for one client");
    }
}
