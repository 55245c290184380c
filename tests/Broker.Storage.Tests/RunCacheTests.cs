using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Dispatch;
using Broker.Storage.Postgres.Caching;
using Broker.Storage.Tables;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

public sealed class RunCacheTests
{
    private static readonly StepKey Key = new(1, 0);

    private readonly DatabaseClockEstimate clock = new();
    private readonly RunCache memory;

    public RunCacheTests()
    {
        memory = new RunCache(clock);
        clock.Observe(1_000_000);
        memory.Leased(Key, new StepState { Index = 0, Status = StepStatus.Leased, Fence = 7, Worker = "w" }, Run(active: 2), version: 5);
    }

    private static LoadedRun Run(int active, RunPhase phase = RunPhase.Active, int mail = 0) => new(
        new RunState { Id = 1, Definition = ADefinition.Jobs("w", "a"), Active = active, Phase = phase, InboxCount = mail }, new RunRef(1, "w", "i", 0), 1, true);

    private CachedRuns? TryLoadCached(long? fence, string? worker = null) => memory.TryLoadCached([new LeaseRef(Key, fence, worker)]);

    [Fact]
    public void A_lease_is_recalled_by_its_fence_or_its_worker_and_by_no_other()
    {
        Assert.Equal(5u, Assert.Single(TryLoadCached(7)!.Runs).Version);
        Assert.NotNull(TryLoadCached(null, "w"));
        Assert.Null(TryLoadCached(8));
        Assert.Null(TryLoadCached(null, "v"));
        Assert.Null(memory.TryLoadCached([new LeaseRef(Key, 7, null), new LeaseRef(new StepKey(1, 1), 7, null)]));
    }

    [Fact]
    public void The_last_write_counts_and_a_claim_does_not_replace_it()
    {
        memory.Wrote(Run(active: 1), version: 6, CommitFlag.Past);
        memory.Leased(new StepKey(1, 1), new StepState { Index = 1, Status = StepStatus.Leased, Fence = 9 }, Run(active: 2), version: 5);
        var run = Assert.Single(TryLoadCached(7)!.Runs);
        Assert.Equal((6u, 1), (run.Version, run.Run.State.Active));
    }

    [Fact]
    public void An_uncommitted_run_is_locked_before_it_is_written()
    {
        var commit = new CommitFlag();
        var run = Run(active: 1);
        memory.Wrote(run, version: 6, commit);
        memory.Leased(Key, new StepState { Index = Key.Index, Status = StepStatus.Leased, Fence = 7 }, run, version: 5);
        var before = TryLoadCached(7)!;
        commit.Committed();
        Assert.False(before.CanVerifyInWrite([new RunChange(run, null, null)]));
        Assert.True(TryLoadCached(7)!.CanVerifyInWrite([new RunChange(run, null, null)]));
        Assert.False(TryLoadCached(7)!.CanVerifyInWrite([]));
    }

    [Theory]
    [InlineData(RunPhase.Pausing, 0)]
    [InlineData(RunPhase.Succeeded, 0)]
    [InlineData(RunPhase.Active, 1)]
    public void Runs_that_need_a_look_at_other_tables_are_not_remembered(RunPhase phase, int mail)
    {
        memory.Wrote(Run(active: 1, phase, mail), version: 6, CommitFlag.Past);
        Assert.Null(TryLoadCached(7));
    }

    [Fact]
    public void Each_time_that_it_was_wrong_it_is_asked_more_seldom()
    {
        int Refused()
        {
            var refused = 0;
            while (TryLoadCached(7) is null) refused++;
            return refused;
        }

        Assert.Equal(0, Refused());
        memory.OnMiss();
        Assert.Equal(4, Refused());
        memory.OnMiss();
        Assert.Equal(8, Refused());
        for (var i = 0; i < 4; i++) memory.OnHit();
        memory.OnMiss();
        Assert.Equal(4, Refused());
    }

    [Fact]
    public void The_clock_does_not_run_back_unless_it_was_set_back()
    {
        var heard = new DatabaseClockEstimate();
        Assert.Null(heard.Now());
        heard.Observe(5_000_000);
        var first = heard.Now()!.Value;
        Assert.InRange(first, 5_000_000, 5_900_000);
        heard.Observe(4_900_000);
        Assert.True(heard.Now() >= first);
        heard.Observe(1_000_000);
        Assert.InRange(heard.Now()!.Value, 1_000_000, 1_900_000);
    }
}
