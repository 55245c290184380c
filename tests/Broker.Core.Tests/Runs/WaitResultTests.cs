using Broker.Core.Runs;
using Xunit;

namespace Broker.Core.Tests.Runs;

public sealed class WaitResultTests
{
    private static readonly DateTimeOffset At = new DateTimeOffset(2026, 1, 2, 5, 4, 5, TimeSpan.FromHours(2)).AddTicks(67_899);

    [Theory]
    [InlineData("{\"n\": 1.0}", "{\"n\": 1.0}")]
    [InlineData(null, "null")]
    public void A_wait_hands_on_type_payload_and_time(string? payload, string shown) =>
        Assert.Equal($$"""{"type":"A","payload":{{shown}},"timestamp":"2026-01-02T03:04:05.006Z"}""", WaitResult.Of(new(1, "A", payload, null, At)));
}
