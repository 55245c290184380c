using Broker.Storage.Contracts;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Workers: who is there, and what they do.</summary>
public abstract class WorkerConformance : StoreTests
{
    private protected WorkerConformance(ITestEngine engine)
        : base(engine)
    {
    }

    private Task<IReadOnlyList<WorkerView>> ListAsync(WorkerKind kind = WorkerKind.Labelled, DateTimeOffset? since = null) => Store.Workers.ListAsync(kind, since, Ct);

    private Task<DateTimeOffset> NowAsync() => Store.Engine.NowAsync(Ct);

    [Fact]
    public async Task Workers_are_listed_in_order_of_registration_with_their_labels()
    {
        foreach (var id in (string[])["z", "a", "m"])
        {
            await Store.Workers.RegisterAsync(id, [id, "x\0"], Ct);
            await Engine.PassAsync(TimeSpan.FromSeconds(1));
        }

        var list = await ListAsync();
        Assert.Equal(["z", "a", "m"], list.Select(w => w.Id));
        Assert.Equal(["z", "x\0"], list[0].Labels);
        Assert.Empty(await ListAsync(WorkerKind.Registered));
    }

    [Fact]
    public async Task Registering_again_replaces_the_entry()
    {
        await Store.Workers.RegisterAsync("w", ["a"], Ct);
        Store.Workers.Reported("w", new LastTask("d", "i", "s", true));
        Assert.Equal(new LastTask("d", "i", "s", true), Assert.Single(await ListAsync()).LastTask);
        await Engine.PassAsync(TimeSpan.FromMinutes(1));
        await Store.Workers.RegisterAsync("w", ["b"], Ct);
        var again = Assert.Single(await ListAsync());
        Assert.Equal(["b"], again.Labels);
        Assert.Null(again.LastTask);
        Assert.True(again.RegisteredAt > await NowAsync() - TimeSpan.FromSeconds(50));
    }

    [Fact]
    public async Task Signs_of_life_are_written_with_the_next_flush()
    {
        await Store.Workers.RegisterAsync("w", [], Ct);
        await Engine.PassAsync(TimeSpan.FromMinutes(5));
        var peer = OpenPeer();
        Assert.True(await peer.Workers.SeenAsync("w", Ct));
        await peer.Workers.FlushAsync(Ct);
        Assert.True(Assert.Single(await ListAsync()).SeenAt > await NowAsync() - TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task Unknown_ids_are_not_seen()
    {
        Assert.False(await Store.Workers.SeenAsync("none", Ct));
        Assert.False(await Store.Workers.SeenAsync("no\0ne", Ct));
        Store.Workers.Reported("no\0ne", new LastTask("d", "i", "s", true));
        Store.Workers.Reported("none", new LastTask("d", "i", "s", true));
        await Store.Workers.FlushAsync(Ct);
        Assert.Empty(await ListAsync());
    }

    [Fact]
    public async Task The_list_can_leave_out_the_silent()
    {
        await Store.Workers.RegisterAsync("old", [], Ct);
        await Engine.PassAsync(TimeSpan.FromMinutes(5));
        await Store.Workers.RegisterAsync("new", [], Ct);
        Assert.Equal("new", Assert.Single(await ListAsync(since: await NowAsync() - TimeSpan.FromMinutes(1))).Id);
    }

    [Fact]
    public async Task The_list_shows_the_job_of_a_worker()
    {
        await Store.Workers.RegisterAsync("w1", [], Ct);
        await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a", "b")), "i");
        var a = await ClaimAsync();
        var b = await ClaimAsync();
        Assert.Equal("b", Assert.Single(await ListAsync()).Current);
        await SucceedAsync(b!);
        Assert.Equal("a", Assert.Single(await ListAsync()).Current);
        await SucceedAsync(a!);
        Assert.Null(Assert.Single(await ListAsync()).Current);
    }

    [Fact]
    public async Task Silent_labelled_workers_are_pruned_in_batches_and_registered_ones_kept()
    {
        foreach (var i in Enumerable.Range(0, 3)) await Store.Workers.RegisterAsync($"w{i}", [], Ct);
        var (kept, _) = await Store.Workers.RegisterAsync([ADefinition.Graph("g", "a")], Ct);
        await Engine.PassAsync(TimeSpan.FromMinutes(5));
        await Store.Workers.SeenAsync("w1", Ct);
        var since = await NowAsync() - TimeSpan.FromMinutes(1);
        foreach (var removed in (int[])[1, 1, 0]) Assert.Equal(removed, await Store.Workers.PruneAsync(since, 1, Ct));
        Assert.Equal("w1", Assert.Single(await ListAsync()).Id);
        Assert.Equal(kept, Assert.Single(await ListAsync(WorkerKind.Registered)).Id);
        Assert.False(await Store.Workers.SeenAsync("w0", Ct));
    }

    [Fact]
    public async Task Workers_are_listed_in_pages_in_order_of_registration()
    {
        var order = new List<string>();
        foreach (var id in (string[])["m", "z", "a", "k", "b"])
        {
            await Store.Workers.RegisterAsync(id, [], Ct);
            await Engine.PassAsync(TimeSpan.FromMilliseconds(1));
            order.Add(id);
        }

        foreach (var page in (int[])[1, 2, 5, 9])
            Assert.Equal(order, (await Store.Workers.ListAsync(WorkerKind.Labelled, null, Ct, page)).Select(worker => worker.Id));
    }

    [Fact]
    public async Task A_registration_with_a_conflict_leaves_no_worker()
    {
        await RegisterAsync(ADefinition.Graph("g", "a"));
        var (id, conflict) = await Store.Workers.RegisterAsync([ADefinition.Graph("h", "a"), ADefinition.Graph("g", "b")], Ct);
        Assert.Equal((null, "g"), (id, conflict!.Name));
        Assert.Empty(await ListAsync(WorkerKind.Registered));
        Assert.Null(await Store.Definitions.LatestAsync("h", Ct));
    }

    [Fact]
    public async Task Brokers_may_register_the_same_id_at_the_same_moment()
    {
        var peer = OpenPeer();
        await Task.WhenAll(Enumerable.Range(0, 12).Select(i => Task.Run(() => (i % 2 == 0 ? Store : peer).Workers.RegisterAsync("w", [$"l{i}"], Ct), Ct)));
        Assert.Equal("w", Assert.Single(await ListAsync()).Id);
    }
}
