using Broker.Storage;

namespace Broker.Auth;

/// <summary>
/// Every key, in memory: a request costs a look-up and a hash, and no exchange with the database. What was created or revoked elsewhere
/// is known after the next refresh; while the database is away, what was known last holds.
/// </summary>
internal sealed class KeyRing(IKeyStore store, AuthSettings settings, TimeProvider clock)
{
    private readonly SemaphoreSlim refreshing = new(1);
    private volatile Ring ring = new(settings.Keys.Count > 0, new Dictionary<string, Held>(StringComparer.Ordinal));

    /// <summary>
    /// True from the first key on, and also when all of them are revoked: revoking the last one must lock everybody out, not let
    /// everybody in.
    /// </summary>
    public bool AreRequired => ring.AreRequired;

    /// <summary>Reads the keys; requests under way with one that is gone are cut where they would go on for long.</summary>
    public async Task RefreshAsync(CancellationToken ct)
    {
        await refreshing.WaitAsync(ct);
        try
        {
            var stored = await store.ListAsync(ct);
            var keys = new Dictionary<string, Held>(StringComparer.Ordinal);
            foreach (var key in stored)
            {
                if (key.RevokedAt is null) keys[key.Id] = Hold(key.Id, key.Hash, ScopeWords.Known(key.Scopes), key.Workflows, isStored: true);
            }

            // The configuration wins: it is what the operator sees.
            foreach (var key in settings.Keys) keys[key.Id] = Hold(key.Id, key.Hash, key.Scopes, key.Workflows, isStored: false);
            var before = ring;
            ring = new(settings.Keys.Count > 0 || stored.Count > 0, keys);
            foreach (var (id, gone) in before.Keys)
            {
                if (!keys.ContainsKey(id)) gone.End();
            }
        }
        finally
        {
            refreshing.Release();
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
    private Held Hold(string id, string hash, Scope scopes, IReadOnlyList<string>? workflows, bool isStored)
    {
        if (ring.Keys.TryGetValue(id, out var known) && known.IsStored == isStored && known.Is(hash, scopes, workflows)) return known;
        known?.End();
        return new(new(id, scopes, workflows?.ToHashSet(StringComparer.Ordinal)), Convert.FromHexString(hash), isStored);
    }

    /// <summary>A valid key.</summary>
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

        public bool Is(string otherHash, Scope scopes, IReadOnlyList<string>? workflows) =>
            caller.Scopes == scopes && Convert.FromHexString(otherHash).AsSpan().SequenceEqual(hash)
            && (workflows is null ? caller.Workflows is null : caller.Workflows is { } mine && mine.SetEquals(workflows));
    }

    private sealed class Ring(bool areRequired, Dictionary<string, Held> keys)
    {
        public bool AreRequired => areRequired;

        public Dictionary<string, Held> Keys => keys;

        public Dictionary<string, Held>.AlternateLookup<ReadOnlySpan<char>> ById { get; } = keys.GetAlternateLookup<ReadOnlySpan<char>>();
    }
}
