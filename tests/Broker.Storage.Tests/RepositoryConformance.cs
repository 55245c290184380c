using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Repositories.</summary>
public abstract class RepositoryConformance : StoreTests
{
    private protected RepositoryConformance(ITestEngine engine)
        : base(engine)
    {
    }

    private static Repository Named(string name, string url = "https://git.example/r", params string[] workflows) =>
        new(name, url, workflows, new Dictionary<string, string> { ["token"] = "t\0\ud83d\ude00" });

    [Fact]
    public async Task The_same_name_again_replaces_the_entry_and_keeps_its_place()
    {
        await Store.Repositories.PutAsync(Named("b", "u1", "x", "y"), Ct);
        await Engine.PassAsync(TimeSpan.FromMilliseconds(1));
        await Store.Repositories.PutAsync(Named("a"), Ct);
        await Store.Repositories.PutAsync(Named("b", "u2", "z"), Ct);
        var list = await Store.Repositories.ListAsync(0, 10, Ct);
        Assert.Equal(["b u2", "a https://git.example/r"], list.Select(r => $"{r.Name} {r.Url}"));
        Assert.Equal(["z"], list[0].Workflows);
        Assert.Equal("t\0\ud83d\ude00", list[0].Credentials["token"]);
    }

    [Fact]
    public async Task Lists_are_taken_page_by_page()
    {
        foreach (var i in Enumerable.Range(0, 5))
        {
            await Store.Repositories.PutAsync(Named($"r{4 - i}"), Ct);
            await Engine.PassAsync(TimeSpan.FromMilliseconds(1));
        }

        Assert.Equal(["r2", "r1"], (await Store.Repositories.ListAsync(2, 2, Ct)).Select(r => r.Name));
        Assert.Empty(await Store.Repositories.ListAsync(5, 2, Ct));
    }

    [Fact]
    public async Task Unknown_names_are_not_found()
    {
        Assert.Null(await Store.Repositories.FindAsync("none", Ct));
        Assert.Null(await Store.Repositories.FindAsync("no\0ne", Ct));
        Assert.Null(await Store.Repositories.FindAsync("\ud800", Ct));
    }

    [Fact]
    public async Task Brokers_may_put_the_same_name_at_the_same_moment()
    {
        var peer = OpenPeer();
        await Task.WhenAll(Enumerable.Range(0, 12).Select(i => Task.Run(() => (i % 2 == 0 ? Store : peer).Repositories.PutAsync(Named("one", $"u{i}"), Ct), Ct)));
        Assert.Equal("one", Assert.Single(await Store.Repositories.ListAsync(0, 10, Ct)).Name);
    }
}
