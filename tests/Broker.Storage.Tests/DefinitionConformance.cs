using Broker.Core.Definitions;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Definitions: immutable, and the same for every broker.</summary>
public abstract class DefinitionConformance : StoreTests
{
    private protected DefinitionConformance(ITestEngine engine)
        : base(engine)
    {
    }

    private static WorkflowDefinition Version(string name, string version, params string[] steps) =>
        ADefinition.Of(ADefinition.Document(name, version, "", steps));

    [Fact]
    public async Task The_same_content_again_is_accepted_and_changes_nothing()
    {
        await RegisterAsync(Version("a", "1", "x"));
        await Engine.PassAsync(TimeSpan.FromMilliseconds(1));
        await RegisterAsync(Version("a", "2", "x", "y<-x"));
        await RegisterAsync(Version("a", "1", "x"));
        Assert.Equal("2", (await Store.Definitions.LatestAsync("a", Ct))!.Version);
        Assert.Single(await Store.Definitions.ListAsync(Ct));
    }

    [Fact]
    public async Task A_known_version_can_be_made_the_latest_again()
    {
        await RegisterAsync(Version("a", "1", "x"));
        await Engine.PassAsync(TimeSpan.FromMilliseconds(1));
        await RegisterAsync(Version("a", "2", "x", "y<-x"));
        await Engine.PassAsync(TimeSpan.FromSeconds(1));
        await Store.Definitions.RegisterAsync([Version("a", "1", "x")], makeLatest: true, Ct);
        Assert.Equal("1", (await OpenPeer().Definitions.LatestAsync("a", Ct))!.Version);
    }

    [Fact]
    public async Task A_conflict_refuses_all_and_names_the_one()
    {
        await RegisterAsync(Version("a", "1", "x"));
        var outcome = await OpenPeer().Definitions.RegisterAsync([Version("b", "1", "x"), Version("a", "1", "x", "y"), Version("c", "1", "x")], false, Ct);
        Assert.Equal("a", outcome.Conflict!.Name);
        Assert.Empty(outcome.Registered);
        Assert.Null(await Store.Definitions.LatestAsync("b", Ct));
        Assert.Equal("x", Assert.Single((await Store.Definitions.LatestAsync("a", Ct))!.Steps).Name);
    }

    [Fact]
    public async Task Two_contents_for_one_version_in_one_call_conflict()
    {
        var outcome = await Store.Definitions.RegisterAsync([Version("a", "1", "x"), Version("a", "1", "y")], false, Ct);
        Assert.NotNull(outcome.Conflict);
        Assert.Empty(await Store.Definitions.ListAsync(Ct));
    }

    [Fact]
    public async Task The_list_is_in_order_of_first_registration()
    {
        foreach (var name in (string[])["m", "z", "a"]) await RegisterAsync(Version(name, "1", "x"));
        await Engine.PassAsync(TimeSpan.FromMilliseconds(1));
        await RegisterAsync(Version("m", "2", "y"));
        Assert.Equal(["m 2", "z 1", "a 1"], (await Store.Definitions.ListAsync(Ct)).Select(d => $"{d.Name} {d.Version}"));
    }

    [Fact]
    public async Task Heads_are_read_page_by_page_and_name_the_latest()
    {
        foreach (var (name, version) in new[] { ("m", "1"), ("z", "1"), ("m", "2"), ("a", "1"), ("z", "2") })
        {
            await RegisterAsync(Version(name, version, "x"));
            await Engine.PassAsync(TimeSpan.FromMilliseconds(1));
        }

        await Store.Definitions.RegisterAsync([Version("m", "1", "x")], makeLatest: true, Ct);
        var seen = new List<string>();
        var after = 0;
        while (await Store.Definitions.HeadsAsync(after, 1, Ct) is [var head])
        {
            var latest = await Store.Definitions.GetAsync(head, Ct);
            Assert.Equal(head.Name, latest.Name);
            seen.Add($"{latest.Name} {latest.Version}");
            after = head.Place;
        }

        Assert.Equal(["m 1", "z 2", "a 1"], seen);
    }

    [Fact]
    public async Task Heads_of_files_are_those_whose_latest_definition_is_from_a_file()
    {
        static WorkflowDefinition Jobs(string name, string fromFile) => ADefinition.Of(
            $$$"""{"workflow_id":"{{{name}}}","version":"1","jobs":{"name":"n","trigger":"t","from_file":{{{fromFile}}} },"steps":{"a":{"command":"x"} } }""");
        await RegisterAsync(Jobs("file", "true"));
        await RegisterAsync(Jobs("posted", "false"));
        await RegisterAsync(Jobs("was", "true"));
        await RegisterAsync(Version("worker", "1", "x"));
        await Engine.PassAsync(TimeSpan.FromMilliseconds(1));
        await RegisterAsync(Version("was", "2", "x"));
        Assert.Equal(["file"], (await Store.Definitions.FileHeadsAsync(Ct)).Select(head => head.Name));
        Assert.Equal(["file", "posted", "was", "worker"], (await Store.Definitions.HeadsAsync(0, 10, Ct)).Select(head => head.Name));
    }

    [Fact]
    public async Task Readers_at_the_same_time_share_one_copy()
    {
        await RegisterAsync(Version("a", "1", "x"));
        var other = OpenPeer();
        var read = await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => Task.Run(() => other.Definitions.LatestAsync("a", Ct), Ct)));
        Assert.All(read, definition => Assert.Same(read[0], definition));
    }

    [Fact]
    public async Task Unknown_names_have_no_latest()
    {
        Assert.Null(await Store.Definitions.LatestAsync("none", Ct));
        Assert.Null(await Store.Definitions.LatestAsync("no\0ne", Ct));
        Assert.Null(await Store.Definitions.LatestAsync("\ud800", Ct));
    }

    [Fact]
    public async Task Brokers_may_register_the_same_at_the_same_moment()
    {
        var peer = OpenPeer();
        var definitions = Enumerable.Range(0, 12).Select(i => Version($"n{i}", "1", "x", "y<-x")).ToList();
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 6).Select(i =>
            Task.Run(() => (i % 2 == 0 ? Store : peer).Definitions.RegisterAsync(definitions, makeLatest: false, Ct), Ct)));
        Assert.All(outcomes, o => Assert.Equal((null, 12), (o.Conflict, o.Registered.Count)));
        Assert.Equal(12, (await Store.Definitions.ListAsync(Ct)).Count);
        Assert.Equal(["12"], await Engine.QueryAsync("SELECT count(*) FROM definition"));
    }

    [Fact]
    public async Task Of_two_contents_registered_at_the_same_moment_one_wins()
    {
        var peer = OpenPeer();
        var outcomes = await Task.WhenAll(
            Task.Run(() => Store.Definitions.RegisterAsync([Version("a", "1", "x")], false, Ct), Ct),
            Task.Run(() => peer.Definitions.RegisterAsync([Version("a", "1", "y")], false, Ct), Ct));
        Assert.Single(outcomes, o => o.Conflict is null);
        var winner = outcomes.Single(o => o.Conflict is null).Registered[0];
        Assert.Equal(winner.Fingerprint, (await Open().Definitions.LatestAsync("a", Ct))!.Fingerprint);
    }

    [Fact]
    public async Task Steps_started_by_one_broker_are_claimed_from_another()
    {
        var peer = OpenPeer();
        await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a")), "i");

        // Queues that others have added are read with every poll.
        await peer.Waiting.PollAsync(Ct);
        var claimed = await peer.Steps.ClaimAsync(new Broker.Core.Runs.ClaimRequest("w", Broker.Core.Runs.ClaimScope.ByLabels, []), Ct);
        Assert.Equal("a", Assert.Single(claimed).Step.Name);
    }
}
