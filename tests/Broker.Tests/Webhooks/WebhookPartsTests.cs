using Broker.Webhooks;
using Xunit;

namespace Broker.Tests.Webhooks;

/// <summary>Signatures and pauses.</summary>
public sealed class WebhookPartsTests
{
    /// <summary>The example of the Standard Webhooks specification.</summary>
    [Fact]
    public void A_signature_is_that_of_Standard_Webhooks() => Assert.Equal(
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        WebhookSignature.Of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, """{"test": 2432232314}"""));

    [Fact]
    public void Pauses_double_up_to_an_hour_with_jitter()
    {
        for (var tries = 1; tries < WebhookBackoff.Most; tries++)
        {
            var middle = WebhookBackoff.After(tries, 0.5)!.Value;
            Assert.Equal(Math.Min(5 * Math.Pow(2, tries - 1), 3600), middle.TotalSeconds, 3);
            Assert.Equal(0.8, WebhookBackoff.After(tries, 0)!.Value / middle, 3);
            Assert.InRange(WebhookBackoff.After(tries, 0.999)!.Value / middle, 1.19, 1.2);
        }

        Assert.Null(WebhookBackoff.After(WebhookBackoff.Most, 0.5));
    }
}
