using Broker.Storage.Contracts;
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
        var list = await Store.Repositories.ListAsync(0, 10, true, Ct);
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

        Assert.Equal(["r2", "r1"], (await Store.Repositories.ListAsync(2, 2, true, Ct)).Select(r => r.Name));
        Assert.Empty(await Store.Repositories.ListAsync(5, 2, true, Ct));
    }

    [Fact]
    public async Task Unknown_names_are_not_found()
    {
        Assert.Null(await Store.Repositories.FindAsync("none", true, Ct));
        Assert.Null(await Store.Repositories.FindAsync("no\0ne", true, Ct));
        Assert.Null(await Store.Repositories.FindAsync("\ud800", true, Ct));
    }

    [Fact]
    public async Task Brokers_may_put_the_same_name_at_the_same_moment()
    {
        var peer = OpenPeer();
        await Task.WhenAll(Enumerable.Range(0, 12).Select(i => Task.Run(() => (i % 2 == 0 ? Store : peer).Repositories.PutAsync(Named("one", $"u{i}"), Ct), Ct)));
        Assert.Equal("one", Assert.Single(await Store.Repositories.ListAsync(0, 10, true, Ct)).Name);
    }

    private static Repository Secretive(string name, string token) => new(name, "u", [], new Dictionary<string, string> { ["token"] = token });

    private async Task<string?> TokenAsync(string name) => (await Store.Repositories.FindAsync(name, true, Ct))?.Credentials["token"];

    [Fact]
    public async Task Credentials_are_stored_encrypted_and_given_only_to_those_who_ask_for_them()
    {
        await Store.Repositories.PutAsync(Secretive("a", "hunter2"), Ct);
        await Store.Repositories.PutAsync(Secretive("a", "hunter3"), Ct);

        Assert.DoesNotContain("hunter", string.Concat(await Engine.QueryAsync("SELECT * FROM repository")), StringComparison.Ordinal);
        Assert.Equal("hunter3", await TokenAsync("a"));
        Store.Cipher.Lost.Add(Store.Cipher.Key);
        Assert.Empty((await Store.Repositories.FindAsync("a", withCredentials: false, Ct))!.Credentials);
        Assert.Empty(Assert.Single(await Store.Repositories.ListAsync(0, 10, withCredentials: false, Ct)).Credentials);
        await Assert.ThrowsAsync<CredentialsUnreadableException>(() => TokenAsync("a"));
    }

    [Fact]
    public async Task Credentials_in_clear_or_under_an_old_key_are_read_and_then_written_anew()
    {
        await Store.Repositories.PutAsync(Secretive("old-key", "hunter2"), Ct);
        await Store.Repositories.PutAsync(Secretive("clear", "replaced below"), Ct);
        await Engine.ExecuteAsync("""UPDATE repository SET credentials = '{"token":"hunter4"}' WHERE name = 'clear'""");
        Store.Cipher.Key = "second";
        await Store.Repositories.PutAsync(Secretive("new-key", "hunter3"), Ct);
        Assert.Equal(("hunter2", "hunter4"), (await TokenAsync("old-key"), await TokenAsync("clear")));

        Assert.Equal(2, await Store.Repositories.RenewCredentialsAsync(Ct));

        Assert.All(await Engine.QueryAsync("SELECT credentials FROM repository"), stored => Assert.StartsWith("dp1:second.", stored, StringComparison.Ordinal));
        Assert.Equal(("hunter2", "hunter4", "hunter3"), (await TokenAsync("old-key"), await TokenAsync("clear"), await TokenAsync("new-key")));
        Assert.Equal(0, await Store.Repositories.RenewCredentialsAsync(Ct));
    }

    [Fact]
    public async Task Renewing_walks_through_all_pages()
    {
        for (var i = 0; i < 230; i++) await Store.Repositories.PutAsync(Secretive($"r{i:000}", "t"), Ct);
        Store.Cipher.Key = "second";
        Assert.Equal(230, await Store.Repositories.RenewCredentialsAsync(Ct));
    }

    [Fact]
    public async Task An_unreadable_credential_does_not_keep_others_from_being_renewed()
    {
        Store.Cipher.Key = "lost";
        await Store.Repositories.PutAsync(Secretive("a", "t"), Ct);
        Store.Cipher.Key = "old";
        await Store.Repositories.PutAsync(Secretive("b", "t"), Ct);
        Store.Cipher.Key = "present";
        Store.Cipher.Lost.Add("lost");

        await Assert.ThrowsAsync<CredentialsUnreadableException>(() => Store.Repositories.RenewCredentialsAsync(Ct));
        Assert.StartsWith("dp1:present.", Assert.Single(await Engine.QueryAsync("SELECT credentials FROM repository WHERE name = 'b'")), StringComparison.Ordinal);
    }
}
