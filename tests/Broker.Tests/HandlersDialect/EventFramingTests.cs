using System.Buffers;
using System.Text;
using System.Text.Json;
using Broker.Api.HandlersDialect;
using Xunit;

namespace Broker.Tests.HandlersDialect;

/// <summary>The bytes of a stream (handlers contract 6).</summary>
public sealed class EventFramingTests
{
    [Fact]
    public void A_queue_reader_gets_data_alone() => Assert.Equal("data: {\"a\":1}\n\n", Framed(o => EventFraming.WriteSse(o, null, "{\"a\":1}"u8)));

    [Fact]
    public void A_cursor_reader_gets_the_number_first() => Assert.Equal("id: 12\ndata: {}\n\n", Framed(o => EventFraming.WriteSse(o, 12, "{}"u8)));

    [Fact]
    public void A_line_reader_gets_one_line() => Assert.Equal("{}\n", Framed(o => EventFraming.WriteLine(o, "{}"u8)));

    [Fact]
    public void A_heartbeat_is_a_comment() => Assert.Equal(": heartbeat\n\n", Framed(EventFraming.WriteHeartbeat));

    [Fact]
    public void A_value_with_every_kind_of_line_end_stays_on_one_line_and_the_same()
    {
        const string value = "{\r\n \"a\": \"x\u0085y\u2028z\u2029 ä € \u20AB \u00A2 \\n\",\n\"b\":\t[1.0,\r 2]}";

        var line = Framed(o => EventFraming.WriteLine(o, Encoding.UTF8.GetBytes(value)));

        Assert.Equal(line.Length - 1, line.IndexOfAny(['\n', '\r', '\u0085', '\u2028', '\u2029']));
        Assert.True(JsonElement.DeepEquals(JsonElement.Parse(value), JsonElement.Parse(line)));
    }

    [Theory]
    [InlineData(0.05, "0.05")]
    [InlineData(1, "1.0")]
    [InlineData(-2, "-2.0")]
    [InlineData(0, "0.0")]
    [InlineData(2.5, "2.5")]
    public void Seconds_are_printed_as_a_float(double seconds, string text) => Assert.Equal(text, QueryText.Decimal(seconds));

    [Theory]
    [InlineData(null, true)]
    [InlineData("TRUE", true)]
    [InlineData("true", true)]
    [InlineData("1", false)]
    [InlineData("yes", false)]
    [InlineData("", false)]
    public void Only_the_word_true_is_true_and_the_default_is_for_absence(string? text, bool expected) =>
        Assert.Equal(expected, QueryText.IsTrue(text, whenAbsent: true));

    [Theory]
    [InlineData("order-4711", true)]
    [InlineData("ä b.c", true)]
    [InlineData("a.1b", true)]
    [InlineData("a.0", true)]
    [InlineData("", false)]
    [InlineData("a/b", false)]
    [InlineData("w~a", false)]
    [InlineData("a\0", false)]
    [InlineData("a\nb", false)]
    [InlineData("order.1", false)]
    public void A_chosen_id_fits_into_a_path_and_names_no_later_run(string id, bool allowed) => Assert.Equal(allowed, HandlerIds.MayBeChosen(id));

    private static string Framed(Action<IBufferWriter<byte>> write)
    {
        var output = new ArrayBufferWriter<byte>();
        write(output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
