using Broker.Core.Runs;
using Broker.Storage.Catalog;
using Broker.Storage.Dispatch;
using Broker.Storage.Dispatch.Commands;
using Broker.Storage.Tables;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Rows that limited claims read of queues.</summary>
public sealed class LimitedClaimScanTests
{
    private readonly TestClock clock = new();
    private readonly LimitedClaimCursors cursors;
    private readonly Dictionary<int, List<string>> queues = [];
    private int read;

    public LimitedClaimScanTests() => cursors = new LimitedClaimCursors(clock);

    private List<string> Queue(int id, int foreign)
    {
        return queues[id] = [.. Enumerable.Repeat("other", foreign)];
    }

    /// <summary>One transaction: the places of the steps that it leases, and whether there may be more.</summary>
    private (List<StepKey> Leased, bool IsCut) Look(int count = 1)
    {
        read = 0;
        IReadOnlyList<QueueRow> list = [.. queues.Keys.Select(id => new QueueRow { Id = id, Key = $"{id}", Labels = "[]", Priority = -id })];
        var work = new ClaimCommand(new("w", ClaimScope.ByLabels, [], count) { Workflows = ["mine"] }, list);
        var group = Assert.Single(ClaimGroup.AllOf([work], cursors));
        var rows = new Rows(this);
        new LimitedClaimScan(group, rows).Run();
        return (rows.Leased, work.IsCut);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_transaction_reads_4096_rows_at_most_and_the_next_goes_on_there(int count)
    {
        Queue(1, 10_000).Add("mine");
        Assert.True(Look(count) is ([], true));
        Assert.InRange(read, 4000, LimitedClaimScan.MostRows);
        Assert.True(Look(count).IsCut);
        Assert.InRange(read, 4000, LimitedClaimScan.MostRows);
        var (leased, cut) = Look(count);
        Assert.Equal([new StepKey(1, 10_000)], leased);
        Assert.False(cut);
        Assert.InRange(read, 1, 10_001 - (2 * 4000));
    }

    [Fact]
    public void Many_queues_share_the_bound()
    {
        for (var id = 1; id <= 100; id++) Queue(id, 1000);
        queues[7].Add("mine");
        var looks = 0;
        while (Look() is ([], true))
        {
            Assert.InRange(read, 1, LimitedClaimScan.MostRows + (16 * queues.Count));
            Assert.InRange(++looks, 1, 30);
        }

        Assert.Equal(7, queues.Single(q => q.Value.Count == 1001 && q.Value[^1] == "taken").Key);
    }

    [Fact]
    public void Foreign_steps_are_walked_again_only_after_a_rest()
    {
        Queue(1, 3000).Add("mine");
        queues[1].Add("mine");
        Assert.Single(Look().Leased);
        Assert.Single(Look().Leased);
        Assert.InRange(read, 1, 10);
        clock.Advance(TimeSpan.FromMicroseconds(50 * 3 * 1024));
        Assert.Empty(Look().Leased);
        Assert.InRange(read, 1, 3000);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(Look().Leased);
        Assert.InRange(read, 3000, 3010);
    }

    [Fact]
    public void A_step_that_becomes_ready_in_front_while_a_claim_walks_is_found_by_the_next()
    {
        Queue(1, 100).Add("mine");
        var walk = cursors.Begin(1, ClaimScopes.LimitOf(["mine"]));
        cursors.Lower(1, 40);
        cursors.End(walk, new(100, 0, 0), 100, isCut: false);
        queues[1][40] = "mine";
        Assert.Equal([new StepKey(1, 40)], Look().Leased);
    }

    /// <summary>Rows stand in place of their ranks.</summary>
    private sealed class Rows(LimitedClaimScanTests test) : ILimitedStepReader
    {
        public List<StepKey> Leased { get; } = [];

        public long Read(IReadOnlyList<LimitedQueueScan> parts, IReadOnlyList<string> workflows, int page, int most)
        {
            foreach (var part in parts)
            {
                var rows = test.queues[part.Queue.Id];
                var place = (int)Math.Min(part.Next!.Value.Rank + (part.Next.Value.Index > 0 ? 1 : 0), rows.Count);
                for (var i = 0; i < page && part.Found.Count < most && place < rows.Count; i++, place++)
                {
                    if (rows[place] == "taken") continue;
                    test.read++;
                    part.Rows++;
                    if (workflows.Contains(rows[place])) part.Found.Add((new(place, 0, 0), new StepKey(part.Queue.Id, place)));
                }

                part.Next = place < rows.Count ? new(place, 0, 0) : null;
            }

            return 1_000_000 + parts.Max(p => test.queues[p.Queue.Id].Count);
        }

        public int Lease(ClaimGroup group, int slot, IReadOnlyList<StepKey> steps)
        {
            var leased = steps.Take(group.Slots.Count - slot).ToList();
            foreach (var step in leased) test.queues[(int)step.RunId][step.Index] = "taken";
            Leased.AddRange(leased);
            return leased.Count;
        }
    }
}
