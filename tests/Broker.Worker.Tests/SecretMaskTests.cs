using System.Text;

namespace Broker.Worker.Tests;

public sealed class SecretMaskTests
{
    private static string Masked(string[] secrets, params string[] pieces)
    {
        var mask = new SecretMask(secrets);
        var clean = new StringBuilder();
        foreach (var piece in pieces) clean.Append(Encoding.UTF8.GetString(mask.Add(Encoding.UTF8.GetBytes(piece)).Span));
        return clean.Append(Encoding.UTF8.GetString(mask.End().Span)).ToString();
    }

    [Theory]
    [InlineData("a secret b", "a *** b")]
    [InlineData("secretsecret", "******")]
    [InlineData("sesecret", "se***")]
    [InlineData("secre", "secre")]
    [InlineData("secre\nsecret", "secre\n***")]
    public void A_value_is_replaced_wherever_it_stands(string text, string expected) => Assert.Equal(expected, Masked(["secret"], text));

    [Fact]
    public void A_value_is_found_whatever_pieces_it_arrives_in()
    {
        const string text = "x secret, secre t and grün-secret";
        for (var first = 0; first < text.Length; first++)
        {
            for (var second = first; second < text.Length; second++)
                Assert.Equal("x ***, secre t and grün-***", Masked(["secret"], text[..first], text[first..second], text[second..]));
        }
    }

    [Fact]
    public void Of_two_values_the_longer_is_replaced_whole() => Assert.Equal("*** ***", Masked(["key", "key-2"], "key", "-2 key"));

    [Fact]
    public void A_value_of_several_lines_is_replaced_line_by_line() =>
        Assert.Equal("***\nx ***\nEND", Masked(["first line\nsecond line\nEND"], "first line\nx second line\nEND"));

    [Fact]
    public void Without_values_nothing_is_held_back() => Assert.Equal("text", Masked([], "te", "xt"));
}
