using Broker.Tests.Operators;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Broker.Ui.Tests;

/// <summary>Brokers that go, many tabs, and a browser with a wrong clock.</summary>
public sealed class BrokenScenarios(Site site)
{
    [Fact]
    public async Task A_broker_that_goes_leaves_the_page_with_the_other_one()
    {
        Site.Require();
        var name = OperatorWire.NewName("killed");
        await site.Wire.RegisterAsync(name, World.Gate);
        var doomed = await site.StartBrokerAsync();
        await using var proxy = await RoundRobinProxy.StartAsync(doomed);
        await using var visit = await Visit.AsAsync(site, "manager", proxy.Address, expects: fault => fault.Contains("Failed to load resource", StringComparison.Ordinal));
        await visit.GoAsync($"/ui/runs?where=workflow%3D{name}");
        await visit.ReadyAsync();
        proxy.Remove(doomed);
        await site.KillLastBrokerAsync();

        // A form keeps its text while no broker answers.
        await visit.Page.GetByLabel("Runs that fit").FillAsync("text of a form");
        await visit.Page.Keyboard.PressAsync("Tab");
        await visit.Find("html[data-live=lost]").WaitForAsync();
        Assert.Equal("text of a form", await visit.Page.GetByLabel("Runs that fit").InputValueAsync());

        proxy.Add(new Uri(site.Address.AbsoluteUri));
        await site.Wire.StartAsync(name, "after");
        await visit.ShowsAsync("tbody tr", "after");
        await Expect(visit.Row("after")).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task Tabs_share_one_stream()
    {
        Site.Require();
        await using var visit = await Visit.AsAsync(site, "reader");
        var streams = 0;
        visit.Context.Request += (_, request) =>
        {
            if (request.Url.Contains("/api/v1/changes", StringComparison.Ordinal)) Interlocked.Increment(ref streams);
        };
        await visit.GoAsync("/ui/runs");
        await visit.ReadyAsync();
        await using var second = await visit.TabAsync();
        await second.GoAsync("/ui/runs");
        await second.ReadyAsync();
        await using var third = await visit.TabAsync();
        await third.GoAsync("/ui/runs");
        await third.ReadyAsync();
        Assert.Equal(1, streams);
    }

    [Fact]
    public async Task Times_follow_the_clock_of_the_broker()
    {
        Site.Require();
        var name = OperatorWire.NewName("clock");
        await site.Wire.RegisterAsync(name, World.Gate);
        await site.Wire.StartAsync(name, "i-1");
        await using var visit = await Visit.AsAsync(site, "reader", options: new() { TimezoneId = "UTC" });
        await visit.Page.Clock.SetFixedTimeAsync(new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        await visit.GoAsync($"/ui/runs?where=workflow%3D{name}");
        await Expect(visit.Row("i-1").Locator("time")).ToHaveTextAsync(new System.Text.RegularExpressions.Regex("^\\d\\d:\\d\\d:\\d\\d$"));
        Assert.Matches("^[\\d.]+ m?s$", (await visit.Row("i-1").Locator("td.number").TextContentAsync())!);
    }
}
