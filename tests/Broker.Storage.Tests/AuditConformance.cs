using Broker.Storage.Contracts;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>The audit trail.</summary>
public abstract class AuditConformance : StoreTests
{
    private protected AuditConformance(ITestEngine engine)
        : base(engine)
    {
    }

    private AuditEntry Entry(string action, string? workflow = null, string key = "k1", TimeSpan? ago = null) =>
        new(Engine.Clock.GetUtcNow() - (ago ?? TimeSpan.Zero), key, action, workflow, workflow is null ? null : $"{workflow}-1", null);

    private async Task<IEnumerable<string>> ReadAsync(AuditFilter filter) => (await Store.Audit.ReadAsync(filter, 100, Ct)).Rows.Select(entry => entry.Action);

    [Fact]
    public async Task Entries_come_back_newest_first_and_page_by_page()
    {
        await Store.Audit.AddAsync(new([.. Enumerable.Range(0, 5).Select(i => Entry($"a{i}"))]), Ct);

        var first = await Store.Audit.ReadAsync(new(), 2, Ct);
        Assert.Equal(["a4", "a3"], first.Rows.Select(entry => entry.Action));
        Assert.True(first.HasMore);

        var second = await Store.Audit.ReadAsync(new(BehindId: first.Rows[^1].Id), 3, Ct);
        Assert.Equal(["a2", "a1", "a0"], second.Rows.Select(entry => entry.Action));
        Assert.False(second.HasMore);
    }

    [Fact]
    public async Task Each_condition_narrows()
    {
        await Store.Audit.AddAsync(new([Entry("start", "w1", ago: TimeSpan.FromHours(2)), Entry("cancel", "w1", "k2"), Entry("start", "w2", "k2")]), Ct);

        Assert.Equal(["start", "cancel", "start"], await ReadAsync(new()));
        Assert.Equal(["cancel", "start"], await ReadAsync(new(Workflow: "w1")));
        Assert.Equal(["start", "start"], await ReadAsync(new(Action: "start")));
        Assert.Equal(["start", "cancel"], await ReadAsync(new(Key: "k2")));
        Assert.Equal(["start", "cancel"], await ReadAsync(new(Since: Engine.Clock.GetUtcNow() - TimeSpan.FromHours(1))));
        Assert.Equal(["cancel"], await ReadAsync(new(Action: "cancel", Workflow: "w1", Key: "k2")));
        Assert.Empty(await ReadAsync(new(Workflow: "\0")));
    }

    [Fact]
    public async Task Text_that_no_column_holds_is_stored_with_replacement_characters()
    {
        await Store.Audit.AddAsync(new([Entry("register") with { Detail = "a\0b\ud800" }]), Ct);
        Assert.Equal("a\ufffdb\ufffd", Assert.Single((await Store.Audit.ReadAsync(new(), 10, Ct)).Rows).Detail);
    }

    [Fact]
    public async Task A_batch_that_is_written_again_is_stored_once()
    {
        var twice = Entry("twice", "w");
        var batch = new AuditBatch([Entry("once"), twice, twice]);
        for (var round = 0; round < 3; round++) await Store.Audit.AddAsync(batch, Ct);
        Assert.Equal(["twice", "twice", "once"], await ReadAsync(new()));
    }

    [Fact]
    public async Task A_batch_that_is_stored_in_part_or_was_lost_is_made_whole()
    {
        var twice = Entry("twice", "w");
        var batch = new AuditBatch([Entry("once"), twice, twice]);
        await Store.Audit.AddAsync(batch, Ct);
        await Engine.ExecuteAsync("DELETE FROM audit WHERE id = (SELECT max(id) FROM audit)");
        await Store.Audit.AddAsync(batch, Ct);
        Assert.Equal(["twice", "twice", "once"], await ReadAsync(new()));
        await Engine.ExecuteAsync("DELETE FROM audit");
        await Store.Audit.AddAsync(batch, Ct);
        Assert.Equal(["twice", "twice", "once"], await ReadAsync(new()));
    }

    [Fact]
    public async Task Old_entries_are_removed_in_batches()
    {
        await Store.Audit.AddAsync(new([Entry("old", ago: TimeSpan.FromDays(3)), Entry("older", ago: TimeSpan.FromDays(4)), Entry("new")]), Ct);
        var before = Engine.Clock.GetUtcNow() - TimeSpan.FromDays(1);

        Assert.Equal(1, await Store.Audit.PruneAsync(before, 1, Ct));
        Assert.Equal(["new", "old"], await ReadAsync(new()));
        Assert.Equal(1, await Store.Audit.PruneAsync(before, 10, Ct));
        Assert.Equal(0, await Store.Audit.PruneAsync(before, 10, Ct));
        Assert.Equal(["new"], await ReadAsync(new()));
    }
}
