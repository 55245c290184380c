using System.Net;
using Broker.Auth;
using Broker.Testing;
using Xunit;

namespace Broker.Tests.Auth;

/// <summary>Wrong keys are counted for each address. The broker is the test's own: the test locks out every wrong key of this machine for a minute.</summary>
public sealed class FailureLimitTests(KeyedSqliteApp app) : IClassFixture<KeyedSqliteApp>
{
    private static readonly IPAddress Somebody = IPAddress.Parse("192.0.2.1");

    private readonly TestClock clock = new();

    [Fact]
    public async Task Too_many_wrong_keys_are_a_429_and_valid_ones_go_on_working()
    {
        for (var i = 0; i < FailureLimiter.Most; i++) Assert.Equal(401, (await app.Client.CallAsync("brk_reader_wrong", "GET", "/api/workflows")).Status);

        var limited = await app.Client.CallAsync("brk_reader_wrong", "GET", "/api/workflows");
        Assert.Equal(429, limited.Status);
        Assert.InRange(limited.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
        Assert.NotNull(limited.Json["error"]);

        var instances = await app.Client.CallAsync("brk_reader_wrong", "GET", "/workflows/x/instances");
        Assert.Equal((429, "TOO_MANY_REQUESTS"), (instances.Status, instances.Json["code"]!.GetValue<string>()));

        Assert.Equal(200, (await app.Client.CallAsync("reader", "GET", "/api/workflows")).Status);
        Assert.Equal(401, (await app.Client.CallAsync(null, "GET", "/api/workflows")).Status);
    }

    [Fact]
    public void A_window_ends_and_the_count_begins_anew()
    {
        var limiter = new FailureLimiter(clock);
        for (var i = 0; i < FailureLimiter.Most; i++) Assert.Null(limiter.Failed(Somebody));
        clock.Advance(TimeSpan.FromSeconds(20));

        Assert.Equal((TimeSpan.FromSeconds(40), true), limiter.Failed(Somebody));
        Assert.Equal((TimeSpan.FromSeconds(40), false), limiter.Failed(Somebody));
        Assert.Null(limiter.Failed(IPAddress.Parse("192.0.2.2")));

        clock.Advance(TimeSpan.FromSeconds(40));
        Assert.Null(limiter.Failed(Somebody));
    }

    [Fact]
    public void An_address_in_another_form_is_the_same_and_a_whole_network_of_version_6_is_one()
    {
        var limiter = new FailureLimiter(clock);
        limiter.Failed(Somebody);
        limiter.Failed(Somebody.MapToIPv6());
        limiter.Failed(IPAddress.Parse("2001:db8:1:2::1"));
        limiter.Failed(IPAddress.Parse("2001:db8:1:2:ffff::9"));
        limiter.Failed(null);
        Assert.Equal(3, limiter.Addresses);
    }

    [Fact]
    public void However_many_addresses_there_are_the_memory_is_bounded_and_strangers_share_a_count()
    {
        var limiter = new FailureLimiter(clock);
        for (var i = 0; i < FailureLimiter.MostAddresses; i++) limiter.Failed(new IPAddress(i + 1));
        for (var i = 0; i < FailureLimiter.Most; i++) Assert.Null(limiter.Failed(new IPAddress(500_000 + i)));
        Assert.NotNull(limiter.Failed(new IPAddress(600_000)));
        Assert.Equal(FailureLimiter.MostAddresses, limiter.Addresses);

        clock.Advance(FailureLimiter.Window);
        Assert.Null(limiter.Failed(new IPAddress(700_000)));
        Assert.Equal(1, limiter.Addresses);
    }
}
