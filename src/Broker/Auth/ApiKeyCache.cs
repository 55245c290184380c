using Broker.Storage.Contracts;

namespace Broker.Auth;

/// <summary>
/// Cache of all API keys: a request costs a look-up and a hash, and no exchange with the database. A key that was created or revoked
/// elsewhere counts after the next refresh. While the database is away, the last refresh holds.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001", Justification = "The semaphore has no wait handle.")]
internal sealed class ApiKeyCache(IKeyStore store, AuthSettings settings, TimeProvider clock)
{
    private readonly SemaphoreSlim refreshing = new(1);
    private volatile Snapshot current = new(settings.Keys.Count > 0 ? null : new(), new Dictionary<string, CachedKey>(StringComparer.Ordinal));

    /// <summary>
    /// True from the first key on, also when all keys are revoked or the database has none any more. Neither a revocation of the last key nor a
    /// restore to a time before the first one opens the broker. A restart reads the database anew.
    /// </summary>
    public bool AreRequired => current.Keyless is null;

    /// <summary>Null when keys are required; else cancelled as soon as they are.</summary>
    public CancellationToken? KeylessEnd => current.Keyless?.Token;

    /// <summary>Reads the keys, and ends streams and waits of keys that are gone.</summary>
    public async Task RefreshAsync(CancellationToken ct)
    {
        // Refreshes run one after another: an older reading must not replace a newer one.
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
        var previous = current;
        var keys = new Dictionary<string, CachedKey>(StringComparer.Ordinal);
        foreach (var key in stored)
        {
            if (key.RevokedAt is null) keys[key.Id] = Cached(previous, new(key.Id, key.Hash, ScopeWords.Known(key.Scopes), key.Workflows), isStored: true);
        }

        // A key of the configuration wins over one of the database with the same id.
        foreach (var key in settings.Keys) keys[key.Id] = Cached(previous, key, isStored: false);
        var areRequired = previous.Keyless is null || stored.Count > 0;
        current = new(areRequired ? null : previous.Keyless ?? new(), keys);
        if (areRequired) previous.Keyless?.Cancel();
        foreach (var (id, before) in previous.Keys)
        {
            if (keys.GetValueOrDefault(id) != before) before.End();
        }
    }

    /// <summary>The key that this text is, or null.</summary>
    public CachedKey? Find(ReadOnlySpan<char> text)
    {
        var id = ApiKey.IdOf(text);
        if (id.IsEmpty || !current.ById.TryGetValue(id, out var key) || !ApiKey.Matches(text, key.Hash)) return null;
        key.Used(clock.GetUtcNow());
        return key;
    }

    /// <summary>The valid key of that id, in use now: for the session of a browser. Null: it is gone.</summary>
    public CachedKey? OfId(string id)
    {
        if (!current.Keys.TryGetValue(id, out var key)) return null;
        key.Used(clock.GetUtcNow());
        return key;
    }

    /// <summary>The caller that a key stands for now: of work that outlives its request. Null: the key is gone, or keys are required by now.</summary>
    public Caller? CallerOf(string id) => current.Keys.TryGetValue(id, out var key) ? key.Caller : !AreRequired && id == Caller.Anonymous.Id ? Caller.Anonymous : null;

    /// <summary>Writes which keys were used since the last time; what cannot be written now is kept.</summary>
    public async Task FlushUseAsync(CancellationToken ct)
    {
        var used = new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal);
        foreach (var (id, key) in current.Keys)
        {
            if (key.IsStored && key.LastUsed is { } at && at != key.Written) used[id] = at;
        }

        if (used.Count == 0) return;
        await store.UsedAsync(used, ct);
        foreach (var (id, at) in used)
        {
            if (current.Keys.TryGetValue(id, out var key)) key.Written = at;
        }
    }

    // An unchanged key keeps its object, with its unwritten use and its open streams.
    private static CachedKey Cached(Snapshot previous, ConfiguredKey key, bool isStored) =>
        previous.Keys.TryGetValue(key.Id, out var known) && known.IsStored == isStored && known.Is(key)
            ? known
            : new(new(key.Id, key.Scopes, key.Workflows?.ToHashSet(StringComparer.Ordinal)), Convert.FromHexString(key.Hash), isStored);

    /// <summary>A valid key.</summary>
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001", Justification = "A source without a timer holds nothing, and requests may hang on it after the key has gone.")]
    internal sealed class CachedKey(Caller caller, byte[] hash, bool isStored)
    {
        private readonly CancellationTokenSource ended = new();
        private long lastUsed;

        public Caller Caller => caller;

        public ReadOnlySpan<byte> Hash => hash;

        public bool IsStored => isStored;

        /// <summary>Cancelled when the key is revoked or changed.</summary>
        public CancellationToken Ended => ended.Token;

        public DateTimeOffset? LastUsed => Volatile.Read(ref lastUsed) is > 0 and var ticks ? new(ticks, TimeSpan.Zero) : null;

        /// <summary>The <see cref="LastUsed"/> that the database has; only the one writer changes it.</summary>
        public DateTimeOffset? Written { get; set; }

        public void Used(DateTimeOffset now) => Volatile.Write(ref lastUsed, now.UtcTicks);

        public void End() => ended.Cancel();

        public bool Is(ConfiguredKey key) =>
            caller.Scopes == key.Scopes && Convert.FromHexString(key.Hash).AsSpan().SequenceEqual(hash)
            && (key.Workflows is null ? caller.Workflows is null : caller.Workflows is { } mine && mine.SetEquals(key.Workflows));
    }

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001", Justification = "A source without a timer holds nothing.")]
    private sealed class Snapshot(CancellationTokenSource? keyless, Dictionary<string, CachedKey> keys)
    {
        /// <summary>Null when keys are required; each refresh passes it on until then.</summary>
        public CancellationTokenSource? Keyless => keyless;

        public Dictionary<string, CachedKey> Keys => keys;

        public Dictionary<string, CachedKey>.AlternateLookup<ReadOnlySpan<char>> ById { get; } = keys.GetAlternateLookup<ReadOnlySpan<char>>();
    }
}
