using System.Text;

namespace Broker.Worker.Tests;

public sealed class OutputFileTests : IDisposable
{
    private readonly string path = Path.GetTempFileName();

    public void Dispose() => File.Delete(path);

    private static IReadOnlyDictionary<string, string> Parse(string text) => OutputFile.Parse(Encoding.UTF8.GetBytes(text));

    [Theory]
    [InlineData("version=7.1\n", "7.1")]
    [InlineData("version=7.1", "7.1")]
    [InlineData("version=7.1\r\n", "7.1")]
    [InlineData("version=\n", "")]
    [InlineData("version=a=b\n", "a=b")]
    [InlineData("version= spaced \n", " spaced ")]
    [InlineData("version=a<<b\n", "a<<b")]
    [InlineData("version=grün 🚀\n", "grün 🚀")]
    [InlineData("\n\nversion=late\n\n", "late")]
    [InlineData("version=old\nversion=new\n", "new")]
    [InlineData("\uFEFFversion=after a mark", "after a mark")]
    [InlineData("version<<EOF\none\nEOF\n", "one")]
    [InlineData("version<<EOF\none\ntwo\nEOF", "one\ntwo")]
    [InlineData("version<<EOF\r\none\r\ntwo\r\nEOF\r\n", "one\ntwo")]
    [InlineData("version<<EOF\nEOF\n", "")]
    [InlineData("version<<EOF\n\nx\n\nEOF\n", "\nx\n")]
    [InlineData("version<<EOF\nname=value\nEOFF\n EOF\nEOF\n", "name=value\nEOFF\n EOF")]
    [InlineData("version<<a=b\nx\na=b\n", "x")]
    public void Every_form_gives_its_value(string text, string value) => Assert.Equal(value, Assert.Single(Parse(text), e => e.Key == "version").Value);

    [Fact]
    public void Lines_and_here_documents_may_be_mixed()
    {
        var outputs = Parse("a=1\nb<<X\n2\n3\nX\nc=4\n");

        Assert.Equal(["a", "b", "c"], outputs.Keys.Order());
        Assert.Equal("2\n3", outputs["b"]);
        Assert.Equal("4", outputs["c"]);
    }

    [Theory]
    [InlineData("secret", "line 1")]
    [InlineData("a=1\n=secret", "line 2")]
    [InlineData("<<EOF\nsecret\nEOF", "line 1")]
    [InlineData("a<<\nsecret\n", "end marker")]
    [InlineData("a<<EOF\nsecret\n", "no line EOF ends the value of a")]
    [InlineData("a<<EOF", "no line EOF")]
    public void A_broken_file_is_refused_without_repeating_values(string text, string reason)
    {
        var wrong = Assert.Throws<FormatException>(() => Parse(text));

        Assert.Contains(reason, wrong.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_no_UTF8_are_refused() => Assert.Throws<FormatException>(() => OutputFile.Parse([(byte)'a', (byte)'=', 0xFF]));

    [Fact]
    public void A_file_that_was_deleted_holds_no_outputs()
    {
        File.Delete(path);

        Assert.Empty(OutputFile.Read(path));
    }

    [Fact]
    public void A_file_that_is_too_large_is_refused()
    {
        File.WriteAllBytes(path, new byte[OutputFile.MaxBytes + 1]);

        Assert.Throws<FormatException>(() => OutputFile.Read(path));
    }
}
