using System.Collections.Concurrent;
using System.Security.Cryptography;
using Broker.Storage.Contracts;

namespace Broker.Auth;

/// <summary>
/// Sessions that this broker has seen lately. A session that another broker made is found at once; one that has ended counts for 5 s at most,
/// as its key does.
/// </summary>
internal sealed class SessionCache(ISessionStore store, ApiKeyCache keys, TimeProvider clock)
{
    /// <summary>A session ends when it was not used for so long.</summary>
    public static readonly TimeSpan Idle = TimeSpan.FromHours(12);

    /// <summary>A session ends so long after the sign-in.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromDays(7);

    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan BetweenNotes = TimeSpan.FromMinutes(1);
    private const int MostCached = 10_000;

    private readonly ConcurrentDictionary<string, Known> known = new(StringComparer.Ordinal);

    /// <summary>Signs a key in; returns the token.</summary>
    public async Task<string> AddAsync(string keyId, string agent, CancellationToken ct)
    {
        var token = SessionCookie.NewToken();
        await store.AddAsync(new(RandomNumberGenerator.GetHexString(16, lowercase: true), SessionCookie.HashOf(token), keyId, agent, default, default, default), Life, ct);
        return token;
    }

    /// <summary>The session of that token, with its key; null when either has ended.</summary>
    public async Task<LiveSession?> FindAsync(string token, CancellationToken ct)
    {
        var hash = SessionCookie.HashOf(token);
        var entry = await EntryAsync(hash, ct);
        if (entry is null || keys.OfId(entry.Session.KeyId) is not { } key) return null;
        if (clock.GetElapsedTime(entry.Noted) >= BetweenNotes)
        {
            entry.Noted = clock.GetTimestamp();
            await store.SeenAsync(hash, ct);
        }

        return new(entry.Session, key, entry.Ended.Token);
    }

    /// <summary>Ends the session of that token.</summary>
    public async Task EndAsync(string token, CancellationToken ct)
    {
        if (await EntryAsync(SessionCookie.HashOf(token), ct) is not { } entry) return;
        await store.EndAsync(entry.Session.Id, ct);
        Forget(entry.Session.Hash);
    }

    /// <summary>Asks again for each session in use: a stream ends with its session though no request comes.</summary>
    public async Task RefreshAsync(CancellationToken ct)
    {
        foreach (var (hash, entry) in known)
        {
            if (clock.GetElapsedTime(entry.Read) >= Fresh) await EntryAsync(hash, ct);
        }
    }

    private async Task<Known?> EntryAsync(string hash, CancellationToken ct)
    {
        var before = known.GetValueOrDefault(hash);
        if (before is not null && clock.GetElapsedTime(before.Read) < Fresh) return before;
        if (await store.FindAsync(hash, Idle, ct) is not { } session)
        {
            Forget(hash);
            return null;
        }

        if (before is not null)
        {
            before.Read = clock.GetTimestamp();
            return before;
        }

        if (known.Count >= MostCached) known.Clear();
        return known[hash] = new(session, clock.GetTimestamp());
    }

    /// <summary>The session has ended: its streams on this broker end too.</summary>
    public void Forget(string hash)
    {
        if (known.TryRemove(hash, out var gone)) gone.Ended.Cancel();
    }

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001", Justification = "A source without a timer holds nothing, and requests may hang on it.")]
    private sealed class Known(StoredSession session, long read)
    {
        public StoredSession Session => session;

        /// <summary>Cancelled when the session has ended.</summary>
        public CancellationTokenSource Ended { get; } = new();

        /// <summary>When the store was asked last.</summary>
        public long Read { get; set; } = read;

        /// <summary>When its use was noted last; the sign-in notes it first.</summary>
        public long Noted { get; set; } = read;
    }
}

/// <summary>A session that counts now.</summary>
/// <param name="Session">As it is stored.</param>
/// <param name="Key">Its key.</param>
/// <param name="Ended">Cancelled when the session ends before its key.</param>
internal sealed record LiveSession(StoredSession Session, ApiKeyCache.CachedKey Key, CancellationToken Ended);
