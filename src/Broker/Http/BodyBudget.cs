using System.IO.Pipelines;
using Broker.Settings;

namespace Broker.Http;

/// <summary>
/// Limits the memory of request bodies that have not been answered yet. A body takes its share of <c>Broker:Limits:BodyBytes</c> as it arrives and
/// returns it when its request is done. The first <see cref="FreeBytes"/> of each body are not counted, so small requests always pass.
/// </summary>
internal sealed class BodyBudget(BrokerSettings settings, TimeProvider clock)
{
    /// <summary>Bytes of each body that are not counted.</summary>
    public const int FreeBytes = 64 * 1024;

    /// <summary>A body that received no byte for that long gives way to a body that needs its share.</summary>
    public static readonly TimeSpan StallTime = TimeSpan.FromSeconds(5);

    // A body of the largest size fits, whatever the two settings say.
    private readonly long limit = settings.Limits.BodyBytes == 0 ? long.MaxValue : Math.Max(settings.Limits.BodyBytes, settings.MaxBodyBytes);
    private readonly Lock gate = new();
    private readonly HashSet<Share> arriving = [];
    private long held;

    /// <summary>Bytes that unanswered bodies hold now.</summary>
    public long HeldBytes
    {
        get
        {
            lock (gate) return held;
        }
    }

    /// <summary>The share of this request's body, returned when the request is done.</summary>
    public static Share Open(HttpRequest request)
    {
        var share = new Share(request.HttpContext.RequestServices.GetRequiredService<BodyBudget>(), request.BodyReader);
        request.HttpContext.Response.RegisterForDispose(share);
        return share;
    }

    private bool TryGrow(Share share, long bytes)
    {
        lock (gate)
        {
            if (held + bytes - share.Bytes > limit && !TryFree(held + bytes - share.Bytes - limit, share)) return false;
            held += bytes - share.Bytes;
            share.Bytes = bytes;
            share.GrewAt = clock.GetTimestamp();
            arriving.Add(share);
            return true;
        }
    }

    // The bodies that have stalled for longest are ended first.
    private bool TryFree(long bytes, Share except)
    {
        var stalled = arriving.Where(share => share != except && clock.GetElapsedTime(share.GrewAt) >= StallTime).OrderBy(share => share.GrewAt).ToList();
        if (stalled.Sum(share => share.Bytes) < bytes) return false;
        foreach (var share in stalled)
        {
            bytes -= share.Bytes;
            Release(share);
            share.End();
            if (bytes <= 0) break;
        }

        return true;
    }

    private void Release(Share share)
    {
        arriving.Remove(share);
        held -= share.Bytes;
        share.Bytes = 0;
    }

    /// <summary>Share of one body.</summary>
    internal sealed class Share(BodyBudget budget, PipeReader reader) : IDisposable
    {
        private volatile bool isEnded;

        /// <summary>True once this body has given way to another one.</summary>
        public bool IsEnded => isEnded;

        internal long Bytes { get; set; }

        internal long GrewAt { get; set; }

        /// <summary>False when the budget has no room for a body of this length.</summary>
        public bool TryGrow(long bytes) => !isEnded && budget.TryGrow(this, bytes);

        /// <summary>The body has arrived whole and cannot stall any more.</summary>
        public void Complete()
        {
            lock (budget.gate) budget.arriving.Remove(this);
        }

        // The reader of the body sees a cancelled read.
        internal void End()
        {
            isEnded = true;
            reader.CancelPendingRead();
        }

        public void Dispose()
        {
            lock (budget.gate) budget.Release(this);
        }
    }
}

/// <summary>503: the memory for request bodies is used up at present.</summary>
internal sealed class BodyBudgetException() : Exception("Too many large request bodies arrive at this moment; send this one again in two seconds.");
