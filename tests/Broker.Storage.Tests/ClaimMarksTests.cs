using Broker.Storage.Postgres;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Where claims begin to look while steps become ready beside them.</summary>
public sealed class ClaimMarksTests
{
    private const int Queue = 7;

    private readonly TestClock clock = new();
    private readonly ClaimMarks marks;

    public ClaimMarksTests() => marks = new ClaimMarks(clock);

    [Fact]
    public void What_has_been_handed_out_is_passed()
    {
        Look(100);
        Assert.Equal(100, marks.Of(Queue).From);
        Look(90);
        Assert.Equal(100, marks.Of(Queue).From);
        Assert.Equal(0, marks.Of(Queue + 1).From);
    }

    [Fact]
    public void What_becomes_ready_before_the_mark_is_looked_for()
    {
        Look(100);
        marks.Lower(Queue, 40);
        Assert.Equal(40, marks.Of(Queue).From);
        Look(110);
        Assert.Equal(110, marks.Of(Queue).From);
    }

    [Fact]
    public void What_becomes_ready_during_a_look_is_not_passed_by_it()
    {
        var (_, version) = marks.Of(Queue);
        marks.Lower(Queue, 40);
        marks.Lower(Queue, 60);
        marks.Advance(Queue, 100, version);
        Assert.Equal(40, marks.Of(Queue).From);
    }

    [Fact]
    public void A_look_during_which_too_much_became_ready_passes_nothing()
    {
        var (_, version) = marks.Of(Queue);
        for (var i = 0; i < 50; i++) marks.Lower(Queue, i == 0 ? 40 : 200);
        marks.Advance(Queue, 100, version);
        Assert.Equal(0, marks.Of(Queue).From);
    }

    [Fact]
    public void A_look_from_before_all_was_forgotten_passes_nothing()
    {
        var (_, version) = marks.Of(Queue);
        for (var i = 0; i < 3; i++) marks.Lower(Queue, 40);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        marks.Forget();
        marks.Of(Queue);
        marks.Advance(Queue, 100, version + 3);
        Assert.Equal(0, marks.Of(Queue).From);
    }

    [Fact]
    public void Each_second_a_look_begins_at_the_front()
    {
        Look(100);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(0, marks.Of(Queue).From);
    }

    private void Look(long reached) => marks.Advance(Queue, reached, marks.Of(Queue).Version);
}
