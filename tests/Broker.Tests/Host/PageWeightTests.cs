using Broker.Http;
using Xunit;

namespace Broker.Tests.Host;

public sealed class PageWeightTests
{
    [Fact]
    public void Light_rows_come_in_ever_larger_pages_up_to_a_limit()
    {
        var weight = new PageWeight();
        Assert.Equal(4, weight.Rows);
        for (var i = 0; i < 10; i++) Assert.False(weight.Saw(weight.Rows, 10));
        Assert.Equal(256, weight.Rows);
    }

    [Fact]
    public void Heavy_rows_come_one_by_one()
    {
        var weight = new PageWeight();
        for (var i = 0; i < 5; i++) Assert.False(weight.Saw(weight.Rows, PageWeight.Characters + 1));
        Assert.Equal(1, weight.Rows);
    }

    [Fact]
    public void A_page_that_is_not_full_was_the_last_and_does_not_change_the_weight()
    {
        var weight = new PageWeight();
        Assert.True(weight.Saw(3, 10));
        Assert.True(weight.Saw(0, 0));
        Assert.Equal(4, weight.Rows);
    }
}
