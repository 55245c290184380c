using System.Xml.Linq;
using Broker.Api.JobsDialect;
using Xunit;

namespace Broker.Tests.JobsDialect;

public sealed class StatusBadgeTests
{
    [Fact]
    public void Any_name_makes_a_picture() => Assert.Equal(
        "<b>&\"' \ufffd   \ufffd  : success",
        XDocument.Parse(StatusBadge.Draw("<b>&\"' \0 \u0007 \ud800 \uffff", "success")).Root!.Elements().First().Value);

    [Fact]
    public void A_long_name_is_cut_between_characters()
    {
        var label = XDocument.Parse(StatusBadge.Draw($"{new string('x', 58)}🚀🚀", "failure")).Root!.Attribute("aria-label")!.Value;
        Assert.Equal($"{new string('x', 58)}…: failure", label);
    }
}
