using Broker.Storage.Contracts;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>API keys.</summary>
public abstract class KeyConformance : StoreTests
{
    private static readonly string Hash = new('a', 64);

    private protected KeyConformance(ITestEngine engine)
        : base(engine)
    {
    }

    private static StoredKey Key(string id, IReadOnlyList<string>? workflows = null) => new(id, $"name of {id}", Hash, ["read", "worker"], workflows, default, null, null);

    [Fact]
    public async Task Keys_are_listed_as_they_were_added_and_say_so_in_the_audit_trail()
    {
        await Store.Keys.AddAsync(Key("b"), "command-line", Ct);
        await Engine.PassAsync(TimeSpan.FromMilliseconds(1));
        await Store.Keys.AddAsync(Key("a", ["w1", "w,2"]), "command-line", Ct);

        var keys = await Store.Keys.ListAsync(Ct);
        Assert.Equal(["b", "a"], keys.Select(key => key.Id));
        Assert.Equal(("name of b", Hash), (keys[0].Name, keys[0].Hash));
        Assert.Equal(["read", "worker"], keys[0].Scopes);
        Assert.Null(keys[0].Workflows);
        Assert.Equal(["w1", "w,2"], keys[1].Workflows!);
        Assert.All(keys, key => Assert.Null(key.LastUsedAt));
        Assert.All(keys, key => Assert.Null(key.RevokedAt));

        var told = (await Store.Audit.ReadAsync(new(Action: "create_key"), 10, Ct)).Rows;
        Assert.Equal(["command-line a name of a", "command-line b name of b"], told.Select(entry => $"{entry.Key} {entry.Detail}"));
    }

    [Fact]
    public async Task A_key_is_revoked_once()
    {
        await Store.Keys.AddAsync(Key("a"), "command-line", Ct);
        Assert.True(await Store.Keys.RevokeAsync("a", "command-line", Ct));
        Assert.False(await Store.Keys.RevokeAsync("a", "command-line", Ct));
        Assert.False(await Store.Keys.RevokeAsync("b", "command-line", Ct));
        Assert.False(await Store.Keys.RevokeAsync("\0", "command-line", Ct));

        Assert.NotNull(Assert.Single(await Store.Keys.ListAsync(Ct)).RevokedAt);
        Assert.Equal("a", Assert.Single((await Store.Audit.ReadAsync(new(Action: "revoke_key"), 10, Ct)).Rows).Detail);
    }

    [Fact]
    public async Task The_last_use_never_moves_back()
    {
        await Store.Keys.AddAsync(Key("a"), "command-line", Ct);
        await Store.Keys.AddAsync(Key("b"), "command-line", Ct);
        var now = Engine.Clock.GetUtcNow();

        await Store.Keys.UsedAsync(new Dictionary<string, DateTimeOffset> { ["a"] = now, ["gone"] = now }, Ct);
        var first = (await Store.Keys.ListAsync(Ct)).Single(key => key.Id == "a").LastUsedAt;
        await OpenPeer().Keys.UsedAsync(new Dictionary<string, DateTimeOffset> { ["a"] = now - TimeSpan.FromHours(1) }, Ct);

        var keys = await Store.Keys.ListAsync(Ct);
        Assert.NotNull(first);
        Assert.Equal(first, keys.Single(key => key.Id == "a").LastUsedAt);
        Assert.Null(keys.Single(key => key.Id == "b").LastUsedAt);
    }

    [Fact]
    public async Task A_text_that_is_no_hash_is_not_stored()
    {
        await Assert.ThrowsAnyAsync<Exception>(() => Store.Keys.AddAsync(Key("a") with { Hash = "short" }, "command-line", Ct));
        Assert.Empty(await Store.Keys.ListAsync(Ct));
        Assert.Empty((await Store.Audit.ReadAsync(new(), 10, Ct)).Rows);
    }
}
