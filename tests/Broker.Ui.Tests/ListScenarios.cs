using System.Globalization;
using Broker.Tests.Operators;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Broker.Ui.Tests;

/// <summary>The list of runs: it moves, it is searched, and acts on many runs.</summary>
public sealed class ListScenarios(Site site)
{
    [Fact]
    public async Task The_list_moves_and_keeps_focus_selection_and_elements()
    {
        Site.Require();
        var name = OperatorWire.NewName("live");
        var worker = await site.Wire.RegisterAsync(name, World.Gate);
        for (var i = 0; i < 30; i++) await site.Wire.StartAsync(name, string.Create(CultureInfo.InvariantCulture, $"i-{i:00}"));
        await using var visit = await Visit.AsAsync(site, "manager");
        await visit.GoAsync($"/ui/runs?where=workflow%3D{name}");
        await visit.ReadyAsync();
        var row = visit.Find("tr:has-text('i-20')");
        await row.EvaluateAsync("row => row.marked = true");
        await row.GetByRole(AriaRole.Link, new() { Name = "i-20" }).FocusAsync();
        await visit.Page.EvaluateAsync("scrollTo(0, 300)");

        await site.Wire.StartAsync(name, "i-30");
        await visit.ShowsAsync("tbody tr", "i-30");
        Assert.True(await row.EvaluateAsync<bool>("row => row.marked === true"));
        Assert.Equal("i-20", await visit.Page.EvaluateAsync<string>("document.activeElement.textContent"));

        // A tick holds the page: the changes are counted, and come when the tick goes.
        await row.GetByRole(AriaRole.Checkbox).CheckAsync();
        await site.Wire.StartAsync(name, "i-31");
        await visit.ShowsAsync("[data-live-state]", "waiting");
        await visit.GoneAsync("tr:has-text('i-31')");
        await row.GetByRole(AriaRole.Checkbox).UncheckAsync();
        await visit.ShowsAsync("tbody tr", "i-31");

        await visit.Page.Keyboard.PressAsync("p");
        await site.Wire.StartAsync(name, "i-32");
        await visit.ShowsAsync("[data-live-state]", "waiting");
        await visit.GoneAsync("tr:has-text('i-32')");
        await visit.Page.Keyboard.PressAsync("p");
        await visit.ShowsAsync("tbody tr", "i-32");
        Assert.NotEmpty(worker);
    }

    [Fact]
    public async Task Chips_the_address_history_and_saved_views_choose_runs()
    {
        Site.Require();
        var name = OperatorWire.NewName("chips");
        await site.Wire.RegisterAsync(name, World.Gate);
        await site.Wire.StartAsync(name, "open");
        await site.Wire.StartAsync(name, "gone");
        await site.PostAsync($"/api/v1/runs/{name}/gone/cancel");
        await using var visit = await Visit.AsAsync(site, "reader");
        await visit.GoAsync("/ui/runs");
        await visit.Page.GetByLabel("Runs that fit").FillAsync($"workflow={name}");
        await visit.Page.Keyboard.PressAsync("Enter");
        await Expect(visit.Find("tbody tr")).ToHaveCountAsync(2);
        await visit.Find(".chips").GetByText("cancelled", new() { Exact = true }).ClickAsync();
        await Expect(visit.Find("tbody tr")).ToHaveCountAsync(1);
        await visit.ShowsAsync("tbody tr", "gone");
        await visit.Page.GetByPlaceholder("save this view as").FillAsync("mine");
        await visit.Page.Keyboard.PressAsync("Enter");
        await visit.Page.GoBackAsync();
        await Expect(visit.Find("tbody tr")).ToHaveCountAsync(2);
        await visit.Link("mine").ClickAsync();
        await Expect(visit.Find("tbody tr")).ToHaveCountAsync(1);
        Assert.Contains("status%3Dcancelled", visit.Page.Url, StringComparison.Ordinal);

        await visit.GoAsync("/ui/runs?where=status%3Dodd");
        await visit.ShowsAsync(".problem", "expected one of");
        await visit.GoneAsync(".empty");
        await visit.GoAsync($"/ui/runs?where=workflow%3D{name}%20error~none");
        await visit.ShowsAsync(".empty", "No run fits");
    }

    [Fact]
    public async Task All_that_match_are_acted_on_but_two()
    {
        Site.Require();
        var name = OperatorWire.NewName("bulk");
        await site.Wire.RegisterAsync(name, World.Gate);
        for (var i = 0; i < 104; i++) await site.Wire.StartAsync(name, string.Create(CultureInfo.InvariantCulture, $"i-{i:000}"));
        await using var visit = await Visit.AsAsync(site, "manager");
        await visit.GoAsync($"/ui/runs?where=workflow%3D{name}");
        await visit.ReadyAsync();
        await visit.Page.GetByLabel("All that match").CheckAsync();
        await visit.Find("tr:has-text('i-103')").GetByRole(AriaRole.Checkbox).UncheckAsync();
        await visit.Find("tr:has-text('i-102')").GetByRole(AriaRole.Checkbox).UncheckAsync();
        await visit.ShowsAsync("[data-choice-words]", "without 2 of this page");
        await visit.Find(".many").GetByRole(AriaRole.Button, new() { Name = "Cancel…" }).ClickAsync();
        await visit.ShowsAsync("[data-matched]", "102");
        await visit.AccessibleAsync("trial of an action on many runs");
        await visit.Find("input[name=typed]").FillAsync("101");
        await visit.Button("Cancel 102 runs").ClickAsync();
        await visit.ShowsAsync("[role=alert]", "Type 102 to go on.");
        await visit.Find("input[name=typed]").FillAsync("102");
        await visit.Find("input[name=reason]").FillAsync("a fault");
        await visit.Button("Cancel 102 runs").ClickAsync();
        await visit.ShowsAsync("h1", "Cancel ·");
        await visit.ShowsAsync("[data-done]", "102");
        await visit.ShowsAsync(".state", "done");
        await visit.AccessibleAsync("results of an action on many runs");
        var count = await site.Wire.GetAsync($"/runs/count?where=workflow%3D{name}%20status%3Dcancelled");
        Assert.Equal(102, count.GetProperty("count").GetInt32());
    }
}
