using System.Text;

namespace Broker.Worker.Tests;

public sealed class LineCutterTests
{
    private static List<string> Cut(byte[] bytes, int step)
    {
        var cutter = new LineCutter();
        var lines = new List<string>();
        for (var i = 0; i < bytes.Length; i += step) lines.AddRange(cutter.Add(bytes.AsMemory(i, Math.Min(step, bytes.Length - i))));
        if (cutter.End() is { } rest) lines.Add(rest);
        return lines;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(1000)]
    public void Lines_keep_their_newline_however_the_bytes_arrive(int step) =>
        Assert.Equal(["one\n", "\n", "zwölf 🚀\r\n", "rest"], Cut(Encoding.UTF8.GetBytes("one\n\nzwölf 🚀\r\nrest"), step));

    [Theory]
    [InlineData("x", 1)]
    [InlineData("ab🚀", 4096)]
    [InlineData("a€", 4096)]
    [InlineData("é", 777)]
    public void A_long_line_is_cut_between_two_characters(string pattern, int step)
    {
        var line = string.Concat(Enumerable.Repeat(pattern, 50_000 / pattern.Length)) + "\n";

        var pieces = Cut(Encoding.UTF8.GetBytes(line), step);

        Assert.Equal(line, string.Concat(pieces));
        Assert.All(pieces, piece => Assert.InRange(Encoding.UTF8.GetByteCount(piece), 1, LineCutter.MaxBytes));
        Assert.DoesNotContain(pieces, piece => piece.Contains('\uFFFD'));
        Assert.All(pieces.SkipLast(1), piece => Assert.InRange(Encoding.UTF8.GetByteCount(piece), LineCutter.MaxBytes - 3, LineCutter.MaxBytes));
    }

    [Fact]
    public void Bytes_that_are_no_UTF8_come_to_an_end_too() =>
        Assert.Equal(40_000, Cut([.. Enumerable.Repeat((byte)0x80, 40_000)], 5000).Sum(piece => piece.Length));
}
