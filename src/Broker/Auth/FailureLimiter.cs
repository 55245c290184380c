using System.Net;
using System.Net.Sockets;

namespace Broker.Auth;

/// <summary>
/// Counts wrong keys for each remote address. Beyond the limit a wrong key is answered with 429 until the window is over. A valid key
/// always passes: behind a gateway callers share one address, and a revoked key must not lock out the others. Guessing stays hopeless, since
/// a key has 238 random bits.
/// </summary>
internal sealed class FailureLimiter(TimeProvider clock)
{
    /// <summary>Wrong keys of one address in a window.</summary>
    public const int Most = 20;

    /// <summary>Addresses with a count of their own. Further ones share one count, so that forged addresses cannot fill the memory.</summary>
    public const int MostAddresses = 10_000;

    public static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private readonly Dictionary<IPAddress, Count> counts = [];
    private Count others;

    /// <summary>Counts one more.</summary>
    /// <returns>Null below the limit; else how long until the window is over, and whether this failure was the first beyond it.</returns>
    public (TimeSpan RetryAfter, bool IsFirst)? Failed(IPAddress? remote)
    {
        var now = clock.GetUtcNow();
        var address = Network(remote);
        lock (gate)
        {
            var isKnown = counts.TryGetValue(address, out var count);
            if (!isKnown && counts.Count >= MostAddresses) Forget(now);
            var isCounted = isKnown || counts.Count < MostAddresses;
            if (!isCounted) count = others;
            count = count.Until > now ? count with { Failures = count.Failures + 1 } : new(1, now + Window);
            if (isCounted) counts[address] = count;
            else others = count;
            return count.Failures > Most ? (count.Until - now, count.Failures == Most + 1) : null;
        }
    }

    /// <summary>Addresses that are remembered.</summary>
    public int Addresses
    {
        get
        {
            lock (gate) return counts.Count;
        }
    }

    private void Forget(DateTimeOffset now)
    {
        foreach (var (address, count) in counts)
        {
            if (count.Until <= now) counts.Remove(address);
        }
    }

    // An owner of one IPv6 address has 2^64 of them.
    private static IPAddress Network(IPAddress? remote)
    {
        if (remote is null) return IPAddress.None;
        if (remote.IsIPv4MappedToIPv6) return remote.MapToIPv4();
        if (remote.AddressFamily is not AddressFamily.InterNetworkV6) return remote;
        Span<byte> bytes = stackalloc byte[16];
        remote.TryWriteBytes(bytes, out _);
        bytes[8..].Clear();
        return new(bytes);
    }

    private readonly record struct Count(int Failures, DateTimeOffset Until);
}
