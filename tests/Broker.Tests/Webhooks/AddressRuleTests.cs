using System.Net;
using Broker.Testing;
using Broker.Tests.App;
using Broker.Tests.BrokerDialect;
using Broker.Webhooks;
using Xunit;

namespace Broker.Tests.Webhooks;

/// <summary>Addresses that webhooks may reach.</summary>
public sealed class AddressRuleTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.255.0.9")]
    [InlineData("0.0.0.0")]
    [InlineData("10.1.2.3")]
    [InlineData("172.16.0.1")]
    [InlineData("172.31.255.255")]
    [InlineData("192.168.7.7")]
    [InlineData("169.254.169.254")]
    [InlineData("100.64.0.1")]
    [InlineData("224.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("::ffff:10.0.0.1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::127.0.0.1")]
    [InlineData("64:ff9b::a00:1")]
    [InlineData("2002:7f00:1::")]
    [InlineData("fe80::1")]
    [InlineData("fc00::1")]
    [InlineData("fd12:3456::1")]
    [InlineData("ff02::1")]
    public void Addresses_inside_are_not_public(string address) => Assert.False(AddressRule.IsPublic(IPAddress.Parse(address)));

    [Theory]
    [InlineData("1.1.1.1")]
    [InlineData("172.15.255.255")]
    [InlineData("172.32.0.1")]
    [InlineData("::ffff:8.8.8.8")]
    [InlineData("2606:4700::1111")]
    public void Other_addresses_are_public(string address) => Assert.True(AddressRule.IsPublic(IPAddress.Parse(address)));

    [Theory]
    [InlineData("http://127.0.0.1:80/x")]
    [InlineData("http://0x7f000001/")]
    [InlineData("http://2130706433/")]
    [InlineData("http://[::1]/")]
    [InlineData("http://[::ffff:169.254.169.254]/")]
    [InlineData("https://localhost/")]
    [InlineData("https://a.localhost/")]
    public void A_webhook_to_an_address_inside_is_refused(string url)
    {
        Assert.NotNull(AddressRule.Refusal(url, allowsPrivate: false));
        Assert.Null(AddressRule.Refusal(url, allowsPrivate: true));
    }

    /// <summary>The rule holds for each connection: a name that changes its address after the check cannot pass it.</summary>
    [Fact]
    public async Task A_name_of_an_address_inside_is_refused_when_it_is_connected_to()
    {
        await using var receiver = await HookReceiver.StartAsync();
        await using var broker = await OwnBroker.StartAsync();
        var wire = new Wire(broker.Client);

        // The name of this machine resolves to an address of this machine, and is no literal.
        var url = $"http://{Dns.GetHostName()}:{receiver.Address.Port}/inside";
        var made = await wire.PostAsync("/api/v1/webhooks", $$"""{"url":"{{url}}","events":["run.failed"]}""");
        Assert.True(made.Status == 201, made.ToString());
        var id = made.Json.GetProperty("id").GetString();
        await wire.PostAsync($"/api/v1/webhooks/{id}/test", "");
        await Eventually.TrueAsync(async () => (await wire.GetAsync($"/api/v1/webhooks/{id}")).Json.GetProperty("failures").GetInt32() == 1, TimeSpan.FromSeconds(60));
        Assert.Contains("has no public address", (await wire.GetAsync($"/api/v1/webhooks/{id}/deliveries")).Json.GetProperty("items")[0].GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Empty(receiver.Messages);
    }
}
