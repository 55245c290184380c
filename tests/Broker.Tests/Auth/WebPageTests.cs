using Broker.Auth;
using Broker.Settings;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Broker.Tests.Auth;

/// <summary>Which hosts and which pages a broker without keys takes requests from.</summary>
public sealed class WebPageTests
{
    [Theory]
    [InlineData("localhost")]
    [InlineData("localhost:3000")]
    [InlineData("LOCALHOST:3000")]
    [InlineData("localhost.:3000")]
    [InlineData("a.b.localhost")]
    [InlineData("127.0.0.1:3000")]
    [InlineData("127.0.0.1.")]
    [InlineData("127.1:3000")]
    [InlineData("10.1.2.3")]
    [InlineData("[::1]")]
    [InlineData("[::1]:3000")]
    [InlineData("[FE80::1]:3000")]
    [InlineData("[::ffff:127.0.0.1]:3000")]
    [InlineData("broker")]
    [InlineData("Broker:8000")]
    [InlineData("broker.example.")]
    [InlineData("deep.below.example.org:443")]
    public void The_brokers_own_names_and_addresses_are_taken(string host) => Assert.True(Hosts("broker", "broker.example", "*.example.org").Has(host));

    [Theory]
    [InlineData("rebind.example")]
    [InlineData("rebind.example:3000")]
    [InlineData("localhost.rebind.example")]
    [InlineData("notlocalhost")]
    [InlineData(".localhost")]
    [InlineData("127.0.0.1.rebind.example")]
    [InlineData("127.0.0.1:3000.rebind.example")]
    [InlineData("rebind.example:127.0.0.1")]
    [InlineData("localhost@rebind.example")]
    [InlineData("localhost..")]
    [InlineData("localhost:3000:80")]
    [InlineData("localhost:99999")]
    [InlineData("::1")]
    [InlineData("[::1")]
    [InlineData("[::1]x")]
    [InlineData("[rebind.example]")]
    [InlineData("[127.0.0.1]")]
    [InlineData("broker.rebind.example")]
    [InlineData("example.org")]
    [InlineData("badexample.org")]
    [InlineData(":3000")]
    [InlineData("")]
    public void A_name_outside_the_list_is_refused(string host) => Assert.False(Hosts("broker", "broker.example", "*.example.org").Has(host));

    [Fact]
    public void A_star_takes_every_name() => Assert.True(Hosts("*").Has("rebind.example:3000"));

    [Fact]
    public void An_accepted_host_opens_no_other_host()
    {
        var hosts = Hosts("broker");
        Assert.True(hosts.Has("broker:3000"));
        Assert.False(hosts.Has("rebind.example:3000"));
        Assert.True(hosts.Has("broker:3000"));
    }

    [Theory]
    [InlineData("localhost:3000", "http://localhost:3000")]
    [InlineData("LocalHost:3000", "http://localhost:3000")]
    [InlineData("localhost:3000", "HTTP://LOCALHOST:3000")]
    [InlineData("localhost.:3000", "http://localhost.:3000")]
    [InlineData("[::1]:3000", "http://[::1]:3000")]
    [InlineData("[0:0:0:0:0:0:0:1]:3000", "http://[::1]:3000")]
    [InlineData("broker.example", "http://broker.example")]
    [InlineData("broker.example:80", "http://broker.example")]
    [InlineData("broker.example", "https://broker.example")]
    [InlineData("broker.example:443", "https://broker.example")]
    [InlineData("localhost:3000", "https://page.example")]
    [InlineData("localhost:3000", "https://page.example:443")]
    [InlineData("localhost:3000", "https://PAGE.example")]
    [InlineData("localhost:3000", "http://dev.example:5173")]
    [InlineData("localhost:3000", "http://localhost:3000, http://localhost:3000")]
    [InlineData("localhost:3000", "http://localhost:3000", "https://page.example")]
    public void The_brokers_own_pages_and_listed_ones_may_change_something(string host, params string[] origins) =>
        Assert.Null(Pages("https://page.example", "http://dev.example:5173").Foreign(Headers(host, origins)));

    [Theory]
    [InlineData("localhost:3000", "http://localhost:5173")]
    [InlineData("localhost:3000", "http://localhost")]
    [InlineData("localhost:80", "https://localhost")]
    [InlineData("localhost:3000", "http://127.0.0.1:3000")]
    [InlineData("localhost:3000", "http://localhost.evil.example:3000")]
    [InlineData("localhost:3000", "http://evil.example:3000")]
    [InlineData("localhost:3000", "null")]
    [InlineData("localhost:3000", "")]
    [InlineData("localhost:3000", "localhost:3000")]
    [InlineData("localhost:3000", "ftp://localhost:3000")]
    [InlineData("localhost:3000", "chrome-extension://abcdef")]
    [InlineData("localhost:3000", "http://localhost:3000/path")]
    [InlineData("localhost:3000", "http://localhost:3000@evil.example")]
    [InlineData("localhost:3000", "http://page.example")]
    [InlineData("localhost:3000", "https://page.example:8443")]
    [InlineData("localhost:3000", "https://page.example.evil.example")]
    [InlineData("localhost:3000", "http://localhost:3000, http://evil.example")]
    [InlineData("localhost:3000", "http://localhost:3000", "http://evil.example")]
    [InlineData("localhost:3000", "https://page.example", "null")]
    public void A_page_of_another_origin_may_not_write(string host, params string[] origins) =>
        Assert.NotNull(Pages("https://page.example").Foreign(Headers(host, origins)));

    [Theory]
    [InlineData(null, null, null, false)]
    [InlineData(null, "same-origin", null, false)]
    [InlineData(null, "none", null, false)]
    [InlineData(null, "cross-site", null, true)]
    [InlineData(null, "same-site", null, true)]
    [InlineData(null, "something-new", null, true)]
    [InlineData("http://localhost:3000", "same-origin", null, false)]
    [InlineData("http://localhost:3000", "cross-site", null, true)]
    [InlineData("http://evil.example", "same-origin", null, true)]
    [InlineData("https://page.example", "cross-site", null, false)]
    [InlineData(null, null, "http://localhost:3000/docs/index.html?x#y", false)]
    [InlineData(null, null, "https://page.example/app", false)]
    [InlineData(null, "cross-site", "https://page.example/app", false)]
    [InlineData(null, "cross-site", "http://localhost:3000/docs", true)]
    [InlineData(null, null, "https://evil.example/", true)]
    [InlineData(null, null, "https://evil.example?http://localhost:3000/", true)]
    [InlineData(null, null, "about:blank", true)]
    [InlineData("http://localhost:3000", null, "https://evil.example/", false)]
    public void The_browser_s_Sec_Fetch_Site_counts_too(string? origin, string? site, string? referrer, bool isForeign)
    {
        var headers = Headers("localhost:3000", origin is null ? [] : [origin]);
        if (site is not null) headers["Sec-Fetch-Site"] = site;
        if (referrer is not null) headers.Referer = referrer;
        Assert.Equal(isForeign, Pages("https://page.example").Foreign(headers) is not null);
    }

    [Fact]
    public void A_star_lets_every_page_write_and_null_can_be_listed()
    {
        Assert.Null(Pages("*").Foreign(Headers("localhost:3000", "https://evil.example")));
        Assert.Null(Pages("*").Foreign(Headers("localhost:3000", "null")));
        Assert.Null(Pages("null").Foreign(Headers("localhost:3000", "null")));
    }

    private static AllowedHosts Hosts(params string[] names) => new(new BrokerSettings { AllowedHosts = names });

    private static WebPages Pages(params string[] origins) => new(new BrokerSettings { CorsOrigins = origins });

    private static IHeaderDictionary Headers(string host, params string[] origins)
    {
        IHeaderDictionary headers = new HeaderDictionary();
        headers.Host = host;
        if (origins.Length > 0) headers.Origin = origins;
        return headers;
    }
}
