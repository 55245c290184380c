using Broker.Core.Json;
using Xunit;

namespace Broker.Core.Tests.Json;

public sealed class StorableTextTests
{
    // Not in attributes: those are stored as UTF-8, which has no lone surrogates.
    private static readonly (string Text, bool IsUnicode, bool Fits, string Fitting)[] Examples =
    [
        ("", true, true, ""),
        ("plain é", true, true, "plain é"),
        ("\ud83d\ude00", true, true, "\ud83d\ude00"),
        ("a\ud83d\ude00b\ud83d\ude00", true, true, "a\ud83d\ude00b\ud83d\ude00"),
        ("a\0b", true, false, "a\ufffdb"),
        ("a\ud800", false, false, "a\ufffd"),
        ("\udc00a", false, false, "\ufffda"),
        ("\ude00\ud83d", false, false, "\ufffd\ufffd"),
        ("\ud83d\ud83d\ude00", false, false, "\ufffd\ud83d\ude00"),
        ("\0\udfff", false, false, "\ufffd\ufffd"),
    ];

    [Fact]
    public void Text_fits_into_a_column_unless_it_holds_NUL_or_a_lone_surrogate()
    {
        foreach (var (text, isUnicode, fits, _) in Examples)
        {
            Assert.Equal(isUnicode, StorableText.IsUnicode(text));
            Assert.Equal(fits, StorableText.Fits(text));
        }
    }

    [Fact]
    public void The_replacement_character_takes_the_place_of_each_unit_that_does_not_fit()
    {
        foreach (var (text, _, _, fitting) in Examples) Assert.Equal(fitting, StorableText.Fitting(text));
    }
}
