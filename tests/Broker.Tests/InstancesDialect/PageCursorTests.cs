using System.Text;
using Broker.Api.InstancesDialect;
using Xunit;

namespace Broker.Tests.InstancesDialect;

/// <summary>Instances contract 2.3.</summary>
public sealed class PageCursorTests
{
    private static readonly DateTimeOffset Noon = new(2026, 2, 3, 12, 0, 0, 0, 7, TimeSpan.Zero);

    [Fact]
    public void A_cursor_comes_back_as_it_was_made()
    {
        var made = new PageCursor(CursorKind.InstancesByStatus, false, 7, Noon.UtcTicks, 12, "ö\"-\ud83d\ude00");

        var read = PageCursor.Decode(made.Encode(), CursorKind.InstancesByStatus);

        Assert.Equal(made, read);
        Assert.Equal(Noon, read!.At);
    }

    [Fact]
    public void A_cursor_can_stand_in_a_query_as_it_is()
    {
        var text = new PageCursor(CursorKind.Steps, true, 100, Noon.UtcTicks, long.MaxValue, new string('?', 100)).Encode();

        Assert.Equal(text, Uri.EscapeDataString(text));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("not base64!")]
    [InlineData("YWJj")]
    [InlineData("e30")]
    [InlineData("W10")]
    [InlineData("%00")]
    public void A_text_that_is_no_cursor_is_ignored(string? text) => Assert.Null(PageCursor.Decode(text, CursorKind.Steps));

    [Theory]
    [InlineData("""{"v":2,"kind":2,"desc":true,"size":5,"at":0,"row":0,"id":""}""")]
    [InlineData("""{"v":1,"kind":9,"desc":true,"size":5,"at":0,"row":0,"id":""}""")]
    [InlineData("""{"v":1,"kind":2,"desc":1,"size":5,"at":0,"row":0,"id":""}""")]
    [InlineData("""{"v":1,"kind":2,"desc":true,"size":0,"at":0,"row":0,"id":""}""")]
    [InlineData("""{"v":1,"kind":2,"desc":true,"size":101,"at":0,"row":0,"id":""}""")]
    [InlineData("""{"v":1,"kind":2,"desc":true,"size":5,"at":-1,"row":0,"id":""}""")]
    [InlineData("""{"v":1,"kind":2,"desc":true,"size":5,"at":9223372036854775807,"row":0,"id":""}""")]
    [InlineData("""{"v":1,"kind":2,"desc":true,"size":5,"at":0,"row":1.5,"id":""}""")]
    [InlineData("""{"v":1,"kind":2,"desc":true,"size":5,"at":0,"row":0,"id":"\u0000"}""")]
    [InlineData("""{"v":1,"kind":2,"desc":true,"size":5,"at":0,"row":0,"id":"\ud800"}""")]
    [InlineData("""{"v\ud800":1,"\ud800":2}""")]
    public void A_forged_cursor_is_ignored(string json) =>
        Assert.Null(PageCursor.Decode(System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json)), CursorKind.Steps));

    [Fact]
    public void A_cursor_of_another_list_is_ignored()
    {
        var text = new PageCursor(CursorKind.Events, true, 5, 0, 3).Encode();

        Assert.NotNull(PageCursor.Decode(text, CursorKind.Events));
        Assert.Null(PageCursor.Decode(text, CursorKind.Logs));
    }

    [Theory]
    [InlineData("1", 1)]
    [InlineData("100", 100)]
    [InlineData("50", 50)]
    [InlineData(null, 25)]
    [InlineData("", 25)]
    [InlineData("0", 25)]
    [InlineData("101", 25)]
    [InlineData("-3", 25)]
    [InlineData("2.5", 25)]
    [InlineData("ten", 25)]
    [InlineData("NaN", 25)]
    [InlineData("99999999999999999999", 25)]
    public void A_page_size_out_of_bounds_becomes_25(string? text, int size) => Assert.Equal(size, PageSizes.Of(text));
}
