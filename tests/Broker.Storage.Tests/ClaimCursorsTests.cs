using Broker.Storage.Postgres;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Where claims begin to look while steps become ready beside them.</summary>
public sealed class ClaimCursorsTests
{
    private const int Queue = 7;

    private readonly TestClock clock = new();
    private readonly ClaimCursors cursors;

    public ClaimCursorsTests() => cursors = new ClaimCursors(clock);

    [Fact]
    public void A_cursor_passes_entries_that_were_handed_out()
    {
        Look(100);
        Assert.Equal(100, cursors.Of(Queue).From);
        Look(90);
        Assert.Equal(100, cursors.Of(Queue).From);
        Assert.Equal(0, cursors.Of(Queue + 1).From);
    }

    [Fact]
    public void An_entry_that_becomes_ready_before_the_cursor_lowers_it()
    {
        Look(100);
        cursors.Lower(Queue, 40);
        Assert.Equal(40, cursors.Of(Queue).From);
        Look(110);
        Assert.Equal(110, cursors.Of(Queue).From);
    }

    [Fact]
    public void A_scan_does_not_pass_an_entry_that_becomes_ready_during_it()
    {
        var (_, version) = cursors.Of(Queue);
        cursors.Lower(Queue, 40);
        cursors.Lower(Queue, 60);
        cursors.Advance(Queue, 100, version);
        Assert.Equal(40, cursors.Of(Queue).From);
    }

    [Fact]
    public void A_look_during_which_too_much_became_ready_passes_nothing()
    {
        var (_, version) = cursors.Of(Queue);
        for (var i = 0; i < 50; i++) cursors.Lower(Queue, i == 0 ? 40 : 200);
        cursors.Advance(Queue, 100, version);
        Assert.Equal(0, cursors.Of(Queue).From);
    }

    [Fact]
    public void A_look_from_before_all_was_forgotten_passes_nothing()
    {
        var (_, version) = cursors.Of(Queue);
        for (var i = 0; i < 3; i++) cursors.Lower(Queue, 40);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        cursors.Forget();
        cursors.Of(Queue);
        cursors.Advance(Queue, 100, version + 3);
        Assert.Equal(0, cursors.Of(Queue).From);
    }

    [Fact]
    public void Each_second_a_look_begins_at_the_front()
    {
        Look(100);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(0, cursors.Of(Queue).From);
    }

    private void Look(long reached) => cursors.Advance(Queue, reached, cursors.Of(Queue).Version);
}
