using Broker.Core.Runs;
using Broker.Storage.Contracts;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>A run's stream: numbered without gaps, ended by the run, read by one queue reader at a time.</summary>
public abstract class EventConformance : StoreTests
{
    private static readonly TimeSpan Ttl = TimeSpan.FromSeconds(30);

    private protected EventConformance(ITestEngine engine)
        : base(engine)
    {
    }

    private static PublishedEvent Event(string value, bool isInternal = false) => new("T", value, isInternal);

    [Fact]
    public async Task Events_are_numbered_from_0_and_the_end_follows_from_the_run()
    {
        var run = await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a")), "i");
        Assert.Equal(-1, await Store.Events.LastSequenceAsync(run.Id, Ct));
        Assert.Empty(await Store.Events.ReadAsync(run.Id, -1, 10, Ct));
        var a = (await ClaimAsync())!;
        Assert.True(await Store.Steps.PublishAsync(a.Lease, [Event("""{"n":1.0}"""), Event("{}", isInternal: true)], Ct));
        Assert.Equal(1, await Store.Events.LastSequenceAsync(run.Id, Ct));
        await Store.Steps.ReportAsync([new LeaseReport(a.Lease, new StepReport(ReportOutcome.Succeeded) { ResultJson = "1", Events = [Event("""{"n":2}""")] })], Ct);

        var events = await Store.Events.ReadAsync(run.Id, -1, 10, Ct);
        Assert.Equal([0, 1, 2, 3], events.Select(e => e.Sequence));
        Assert.Equal(["""{"n":1.0}""", "{}", """{"n":2}""", "{}"], events.Select(e => e.ValueJson));
        Assert.Equal([false, true, false, false], events.Select(e => e.Internal));
        Assert.Equal([false, false, false, true], events.Select(e => e.IsTerminal));
        Assert.Equal(3, await Store.Events.LastSequenceAsync(run.Id, Ct));
        Assert.Empty(await Store.Events.ReadAsync(run.Id, 3, 10, Ct));
        Assert.True(Assert.Single(await Store.Events.ReadAsync(run.Id, 2, 10, Ct)).IsTerminal);
        Assert.DoesNotContain(await Store.Events.ReadAsync(run.Id, -1, 3, Ct), e => e.IsTerminal);
    }

    [Fact]
    public async Task A_run_without_events_ends_with_number_0()
    {
        var run = await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a")), "i");
        await Store.Runs.ControlAsync("d", "i", ControlCommand.Cancel, Ct);
        Assert.Equal(0, await Store.Events.LastSequenceAsync(run.Id, Ct));
        var end = Assert.Single(await Store.Events.ReadAsync(run.Id, -1, 10, Ct));
        Assert.Equal((0, true), (end.Sequence, end.IsTerminal));
        Assert.Empty(await Store.Events.ReadAsync(run.Id + 1000, -1, 10, Ct));
        Assert.Equal(-1, await Store.Events.LastSequenceAsync(run.Id + 1000, Ct));
    }

    [Fact]
    public async Task A_purged_run_leaves_no_stream_behind()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        var run = (await Store.Runs.StartAsync([new StartRequest(definition, "i") { Streams = true }], Ct))[0].Run!;
        Assert.NotNull(await ClaimAsync());
        Assert.NotEmpty(await Store.Events.ReadAsync(run.Id, -1, 10, Ct));
        await Store.Runs.ControlAsync("d", "i", ControlCommand.Purge, Ct);
        foreach (var table in (string[])["run", "step", "event", "stream"])
            Assert.Equal(["0"], await Engine.QueryAsync($"SELECT count(*) FROM {table} WHERE {(table == "run" ? "id" : "run_id")} = {run.Id}"));
    }

    [Fact]
    public async Task Nothing_is_published_under_a_lost_lease()
    {
        var run = await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a", "b<-a")), "i");
        var a = (await ClaimAsync())!;
        await SucceedAsync(a);
        Assert.False(await Store.Steps.PublishAsync(a.Lease, [Event("{}")], Ct));
        Assert.Equal(-1, await Store.Events.LastSequenceAsync(run.Id, Ct));
    }

    [Fact]
    public async Task Concurrent_writers_leave_no_gap_and_a_reader_misses_nothing()
    {
        const int writers = 6, each = 25;
        var peer = OpenPeer();
        var definition = await RegisterAsync(ADefinition.Jobs("wide", [.. Enumerable.Range(0, writers + 1).Select(i => $"s{i}")]));
        var outcome = await Store.Runs.StartAsync([new StartRequest(definition, "i") { Streams = true }], Ct);
        var run = outcome[0].Run!;
        var leases = await Store.Steps.ClaimAsync(new ClaimRequest("w", ClaimScope.ByLabels, [], writers), Ct);
        var writing = Task.WhenAll(leases.Select((assignment, w) => Task.Run(
            async () =>
            {
                var store = w % 2 == 0 ? Store : peer;
                for (var i = 0; i < each; i++) Assert.True(await store.Steps.PublishAsync(assignment.Lease, [Event($$"""{"w":{{w}},"i":{{i}}}""")], Ct));
            },
            Ct)));

        var read = new List<StreamEvent>();
        while (true)
        {
            var last = writing.IsCompleted;
            var page = await peer.Events.ReadAsync(run.Id, read.Count - 1, 9, Ct);
            read.AddRange(page);
            Assert.Equal(Enumerable.Range(0, read.Count), read.Select(e => (int)e.Sequence));
            if (last && page.Count == 0) break;
        }

        await writing;
        var own = read.Where(e => e.Type == "T").ToList();
        Assert.Equal(writers * each, own.Select(e => e.ValueJson).Distinct().Count());
        Assert.Equal(writers * each, own.Count);
        Assert.Equal(writers, read.Count - own.Count);
    }

    [Fact]
    public async Task The_queue_has_one_reader_until_it_lets_go_or_expires()
    {
        var run = await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a")), "i");
        Assert.Equal(-1, await Store.Events.TryLockQueueAsync(run.Id, "one", Ttl, Ct));
        Assert.Equal(-1, await Store.Events.TryLockQueueAsync(run.Id, "one", Ttl, Ct));
        Assert.Null(await OpenPeer().Events.TryLockQueueAsync(run.Id, "two", Ttl, Ct));
        Assert.False(await Store.Events.AdvanceQueueAsync(run.Id, "two", 5, Ttl, Ct));
        Assert.True(await Store.Events.AdvanceQueueAsync(run.Id, "one", 2, Ttl, Ct));

        await Engine.PassAsync(Ttl + TimeSpan.FromSeconds(1));
        Assert.Equal(2, await Store.Events.TryLockQueueAsync(run.Id, "two", Ttl, Ct));
        Assert.False(await Store.Events.AdvanceQueueAsync(run.Id, "one", 9, Ttl, Ct));
        Assert.Equal(2, await Store.Events.QueuePositionAsync(run.Id, Ct));
        Assert.Null(await Store.Events.TryLockQueueAsync(run.Id + 1000, "one", Ttl, Ct));
    }

    [Fact]
    public async Task Letting_go_of_the_queue_wakes_the_next_reader()
    {
        var run = await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a")), "i");
        await Store.Events.TryLockQueueAsync(run.Id, "one", Ttl, Ct);
        using var subscription = Store.Changes.Subscribe(Topics.Run(run.Id));
        var woken = subscription.WaitAsync(TimeSpan.FromSeconds(30), Ct);
        await Store.Events.UnlockQueueAsync(run.Id, "two", Ct);
        Assert.False(woken.IsCompleted && await woken);
        await Store.Events.UnlockQueueAsync(run.Id, "one", Ct);
        if (!await woken) await SignalledAsync(subscription);
        Assert.Equal(-1, await Store.Events.TryLockQueueAsync(run.Id, "two", Ttl, Ct));
    }

    [Fact]
    public async Task One_of_several_concurrent_readers_gets_the_queue()
    {
        var run = await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a")), "i");
        var peer = OpenPeer();
        var positions = await Task.WhenAll(Enumerable.Range(0, 8).Select(r =>
            Task.Run(() => (r % 2 == 0 ? Store : peer).Events.TryLockQueueAsync(run.Id, $"r{r}", Ttl, Ct), Ct)));
        Assert.Single(positions, p => p is not null);
    }

    [Fact]
    public async Task The_queue_lock_and_the_numbers_do_not_disturb_each_other()
    {
        var run = await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a")), "i");
        var a = (await ClaimAsync())!;
        await Store.Events.TryLockQueueAsync(run.Id, "one", Ttl, Ct);
        await Store.Steps.PublishAsync(a.Lease, [Event("{}"), Event("{}")], Ct);
        Assert.True(await Store.Events.AdvanceQueueAsync(run.Id, "one", 0, Ttl, Ct));
        await Store.Steps.PublishAsync(a.Lease, [Event("{}")], Ct);
        Assert.Equal([1, 2], (await Store.Events.ReadAsync(run.Id, await Store.Events.QueuePositionAsync(run.Id, Ct), 10, Ct)).Select(e => e.Sequence));
    }
}
