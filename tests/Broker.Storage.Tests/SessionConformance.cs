using Broker.Storage.Contracts;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Sessions of browsers.</summary>
public abstract class SessionConformance : StoreTests
{
    private static readonly TimeSpan Idle = TimeSpan.FromHours(1);
    private static readonly TimeSpan Life = TimeSpan.FromHours(3);

    private protected SessionConformance(ITestEngine engine)
        : base(engine)
    {
    }

    [Fact]
    public async Task A_session_is_found_by_its_hash_until_it_ends()
    {
        await AddAsync("a");
        Assert.Equal(("a", "key", "browser"), Of(await Store.Sessions.FindAsync(HashOf("a"), Idle, Ct)));
        Assert.Null(await Store.Sessions.FindAsync(HashOf("b"), Idle, Ct));
        Assert.False(await Store.Sessions.EndAsync("b", Ct));
        Assert.False(await Store.Sessions.EndAsync("\0", Ct));
        Assert.True(await Store.Sessions.EndAsync("a", Ct));
        Assert.Null(await Store.Sessions.FindAsync(HashOf("a"), Idle, Ct));
        Assert.Empty(await Store.Sessions.ListAsync(Idle, Ct));
    }

    [Fact]
    public async Task A_session_ends_unused_and_at_its_end_however_it_was_used()
    {
        await AddAsync("used");
        await AddAsync("idle");
        for (var hours = 0; hours < 2; hours++)
        {
            await Engine.PassAsync(TimeSpan.FromMinutes(50));
            await Store.Sessions.SeenAsync(HashOf("used"), Ct);
        }

        Assert.NotNull(await Store.Sessions.FindAsync(HashOf("used"), Idle, Ct));
        Assert.Null(await Store.Sessions.FindAsync(HashOf("idle"), Idle, Ct));
        await Engine.PassAsync(TimeSpan.FromMinutes(50));
        await Store.Sessions.SeenAsync(HashOf("used"), Ct);
        await Engine.PassAsync(TimeSpan.FromMinutes(40));
        Assert.Null(await Store.Sessions.FindAsync(HashOf("used"), Idle, Ct));
        Assert.Empty(await Store.Sessions.ListAsync(Idle, Ct));
    }

    [Fact]
    public async Task Sessions_of_one_key_are_bounded_and_the_oldest_goes()
    {
        await AddAsync("other", "other");
        for (var i = 0; i <= ISessionStore.MostOfKey; i++)
        {
            await AddAsync($"s{i:000}");
            await Engine.PassAsync(TimeSpan.FromMilliseconds(1));
        }

        var listed = await Store.Sessions.ListAsync(Idle, Ct);
        Assert.Equal(ISessionStore.MostOfKey + 1, listed.Count);
        Assert.Equal("s100", listed[0].Id);
        Assert.DoesNotContain(listed, session => session.Id == "s000");
        Assert.Contains(listed, session => session.Id == "other");
    }

    private static (string? Id, string? Key, string? Agent) Of(StoredSession? session) => (session?.Id, session?.KeyId, session?.Agent);

    private static string HashOf(string id) => id.PadLeft(64, '0');

    private Task AddAsync(string id, string key = "key") => Store.Sessions.AddAsync(new(id, HashOf(id), key, "browser", default, default, default), Life, Ct);
}
