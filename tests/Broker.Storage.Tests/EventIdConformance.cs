using Broker.Core.Runs;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Events with an id of their sender: one that is sent again to the same run is the same event.</summary>
public abstract class EventIdConformance : StoreTests
{
    private const string Two = """
        {"workflow_id":"d","steps":{"a":{"kind":"waitForEvent","event":"E","successors":{"default":["b"]}},"b":{"kind":"waitForEvent","event":"E","predecessors":["a"]}}}
        """;

    private protected EventIdConformance(ITestEngine engine)
        : base(engine)
    {
    }

    private static async Task<SendVerdict> SendAsync(StoreHarness store, string? id, string payload = "1") =>
        (await store.Runs.SendAsync("d", "i", "E", payload, null, Delivery.First, Ct, id)).Verdict;

    private async Task<List<InboxEvent>> EventsAsync(RunRef run) => [.. (await Store.History.InboundAsync(run.Id, null, false, 100, Ct)).Rows];

    [Fact]
    public async Task An_event_that_is_sent_again_is_taken_once_and_another_one_is_another()
    {
        var run = await StartAsync(await RegisterAsync(ADefinition.Of(Two)), "i");
        Assert.Equal(SendVerdict.Delivered, await SendAsync(Store, "mail-1"));
        Assert.Equal(SendVerdict.Kept, await SendAsync(Store, "mail-1", "2"));
        Assert.Equal("1", Assert.Single(await EventsAsync(run)).PayloadJson);
        Assert.False((await ViewAsync(run)).IsTerminal);

        Assert.Equal(SendVerdict.Delivered, await SendAsync(Store, "mail-2"));
        Assert.Equal(RunStatus.Succeeded, (await ViewAsync(run)).Status);

        // Its answer was lost, and the run has ended since.
        Assert.Equal(SendVerdict.Kept, await SendAsync(Store, "mail-2"));
        Assert.Equal(SendVerdict.RunTerminal, await SendAsync(Store, "mail-3"));
        Assert.Equal(SendVerdict.RunTerminal, await SendAsync(Store, null));
        Assert.Equal(2, (await EventsAsync(run)).Count);
    }

    [Fact]
    public async Task Without_ids_equal_events_are_several()
    {
        var run = await StartAsync(await RegisterAsync(ADefinition.Of(Two)), "i");
        await SendAsync(Store, null);
        await SendAsync(Store, null);
        Assert.Equal(2, (await EventsAsync(run)).Count);
    }

    [Fact]
    public async Task An_event_sent_at_once_to_two_brokers_is_one_event()
    {
        var run = await StartAsync(await RegisterAsync(ADefinition.Of(Two)), "i");
        var peer = OpenPeer();
        var verdicts = await Task.WhenAll(Enumerable.Range(0, 40).Select(n => Task.Run(() => SendAsync(n % 2 == 0 ? Store : peer, $"mail-{n % 4 / 2}"), Ct)));

        Assert.Equal(2, verdicts.Count(v => v is SendVerdict.Delivered));
        Assert.Equal(38, verdicts.Count(v => v is SendVerdict.Kept));
        Assert.Equal(2, (await EventsAsync(run)).Count);
        Assert.Equal(RunStatus.Succeeded, (await ViewAsync(run)).Status);
    }

    [Fact]
    public async Task Each_run_of_an_instance_has_events_of_its_own()
    {
        await StartAsync(await RegisterAsync(ADefinition.Of(Two)), "i");
        Assert.Equal(SendVerdict.Delivered, await SendAsync(Store, "mail-1"));
        var again = (await Store.Runs.ControlAsync("d", "i", ControlCommand.Restart, Ct)).Run!;
        Assert.Equal(SendVerdict.Delivered, await SendAsync(Store, "mail-1"));
        Assert.Single(await EventsAsync(again));
    }
}
