using Broker.Storage.Contracts;

namespace Broker.Auth;

/// <summary>
/// Every key, in memory: a request costs a look-up and a hash, and no exchange with the database. What was created or revoked elsewhere
/// is known after the next refresh; while the database is away, what was known last holds.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001", Justification = "The semaphore has no wait handle.")]
internal sealed class ApiKeyCache(IKeyStore store, AuthSettings settings, TimeProvider clock)
{
    private readonly SemaphoreSlim refreshing = new(1);
    private volatile Ring ring = new(settings.Keys.Count > 0 ? null : new(), new Dictionary<string, Held>(StringComparer.Ordinal));

    /// <summary>
    /// True from the first key on, also when all of them are revoked, and also when the database has none any more: neither revoking the last one
    /// nor a restore from before the first one, or one that is under way, lets everybody in. A restart asks the database anew.
    /// </summary>
    public bool AreRequired => ring.Keyless is null;

    /// <summary>Null when keys are required; else cancelled as soon as they are.</summary>
    public CancellationToken? KeylessEnd => ring.Keyless?.Token;

    /// <summary>Reads the keys; requests under way with one that is gone are cut where they would go on for long.</summary>
    public async Task RefreshAsync(CancellationToken ct)
    {
        // One after the other: an older reading must not replace a newer one.
        await refreshing.WaitAsync(ct);
        try
        {
            Replace(await store.ListAsync(ct));
        }
        finally
        {
            refreshing.Release();
        }
    }

    private void Replace(IReadOnlyList<StoredKey> stored)
    {
        var before = ring;
        var keys = new Dictionary<string, Held>(StringComparer.Ordinal);
        foreach (var key in stored)
        {
            if (key.RevokedAt is null) keys[key.Id] = Hold(before, new(key.Id, key.Hash, ScopeWords.Known(key.Scopes), key.Workflows), isStored: true);
        }

        // The configuration wins: it is what the operator sees.
        foreach (var key in settings.Keys) keys[key.Id] = Hold(before, key, isStored: false);
        var areRequired = before.Keyless is null || stored.Count > 0;
        ring = new(areRequired ? null : before.Keyless ?? new(), keys);
        if (areRequired) before.Keyless?.Cancel();
        foreach (var (id, held) in before.Keys)
        {
            if (keys.GetValueOrDefault(id) != held) held.End();
        }
    }

    /// <summary>The key that this text is, or null.</summary>
    public Held? Find(ReadOnlySpan<char> text)
    {
        var id = ApiKey.IdOf(text);
        if (id.IsEmpty || !ring.ById.TryGetValue(id, out var key) || !ApiKey.Matches(text, key.Hash)) return null;
        key.Used(clock.GetUtcNow());
        return key;
    }

    /// <summary>Writes which keys were used since the last time; what cannot be written now is kept.</summary>
    public async Task FlushUseAsync(CancellationToken ct)
    {
        var used = new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal);
        foreach (var (id, key) in ring.Keys)
        {
            if (key.IsStored && key.LastUsed is { } at && at != key.Written) used[id] = at;
        }

        if (used.Count == 0) return;
        await store.UsedAsync(used, ct);
        foreach (var (id, at) in used)
        {
            if (ring.Keys.TryGetValue(id, out var key)) key.Written = at;
        }
    }

    // The same object for the same key: it carries what is not written yet, and open streams hang on it.
    private static Held Hold(Ring before, ConfiguredKey key, bool isStored) =>
        before.Keys.TryGetValue(key.Id, out var known) && known.IsStored == isStored && known.Is(key)
            ? known
            : new(new(key.Id, key.Scopes, key.Workflows?.ToHashSet(StringComparer.Ordinal)), Convert.FromHexString(key.Hash), isStored);

    /// <summary>A valid key.</summary>
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001", Justification = "A source without a timer holds nothing, and requests may hang on it after the key has gone.")]
    internal sealed class Held(Caller caller, byte[] hash, bool isStored)
    {
        private readonly CancellationTokenSource ended = new();
        private long lastUsed;

        public Caller Caller => caller;

        public ReadOnlySpan<byte> Hash => hash;

        public bool IsStored => isStored;

        /// <summary>Cancelled when the key is revoked or changed.</summary>
        public CancellationToken Ended => ended.Token;

        public DateTimeOffset? LastUsed => Volatile.Read(ref lastUsed) is > 0 and var ticks ? new(ticks, TimeSpan.Zero) : null;

        /// <summary>What of <see cref="LastUsed"/> the database has; touched by the one writer only.</summary>
        public DateTimeOffset? Written { get; set; }

        public void Used(DateTimeOffset now) => Volatile.Write(ref lastUsed, now.UtcTicks);

        public void End() => ended.Cancel();

        public bool Is(ConfiguredKey key) =>
            caller.Scopes == key.Scopes && Convert.FromHexString(key.Hash).AsSpan().SequenceEqual(hash)
            && (key.Workflows is null ? caller.Workflows is null : caller.Workflows is { } mine && mine.SetEquals(key.Workflows));
    }

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001", Justification = "A source without a timer holds nothing.")]
    private sealed class Ring(CancellationTokenSource? keyless, Dictionary<string, Held> keys)
    {
        /// <summary>Null when keys are required; carried from ring to ring until then.</summary>
        public CancellationTokenSource? Keyless => keyless;

        public Dictionary<string, Held> Keys => keys;

        public Dictionary<string, Held>.AlternateLookup<ReadOnlySpan<char>> ById { get; } = keys.GetAlternateLookup<ReadOnlySpan<char>>();
    }
}
