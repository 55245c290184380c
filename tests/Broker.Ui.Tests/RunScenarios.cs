using System.Text.Json;
using Broker.Tests.Operators;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Broker.Ui.Tests;

/// <summary>One run: watched, explained, repeated, started, answered.</summary>
public sealed class RunScenarios(Site site)
{
    [Fact]
    public async Task A_run_is_watched_from_queued_to_failed_and_retried()
    {
        Site.Require();
        var name = OperatorWire.NewName("watch");
        var worker = await site.Wire.RegisterAsync(name, World.Chain);
        await site.Wire.StartAsync(name, "i-1");
        await using var visit = await Visit.AsAsync(site, "manager");
        await visit.GoAsync($"/ui/runs/{name}/i-1");
        await visit.ReadyAsync();
        await visit.ShowsAsync(".head .state", "queued");
        await visit.ShowsAsync(".why", "none has taken");
        var claimed = await site.Wire.Wire.MustClaimAsync(worker);
        await visit.ShowsAsync(".head .state", "running");
        await site.Wire.Wire.ReportAsync(worker, claimed, "SUCCEEDED", """{"ok":1}""");
        claimed = await site.Wire.Wire.MustClaimAsync(worker);
        await site.Wire.Wire.ReportAsync(worker, claimed, "FAILED", """{"error":"upstream 7 did not answer"}""");
        await visit.ShowsAsync(".head .state", "failed");
        await visit.ShowsAsync(".problem", "upstream 7");

        // Keyboard alone: to the failed step, into its drawer, and out.
        await visit.Page.Keyboard.PressAsync("f");
        await visit.Page.Keyboard.PressAsync("Enter");
        await visit.ShowsAsync(".drawer", "Attempts");
        await visit.AccessibleAsync("drawer");
        await visit.Page.Keyboard.PressAsync("Escape");
        await visit.GoneAsync(".drawer");

        await visit.Link("Retry failed…").ClickAsync();
        await visit.ShowsAsync(".dialog", "kept (1)");
        await visit.Page.GetByLabel("Reason").FillAsync("upstream is back");
        await visit.Button("Retry failed").ClickAsync();
        await visit.ShowsAsync(".facts", "1 of 0 to 1");
        var before = await site.Wire.GetAsync($"/runs/{name}/i-1?run=0");
        Assert.Equal("failed", OperatorWire.Text(before, "status"));
        Assert.Contains("upstream is back", (await site.Wire.GetAsync($"/audit?workflow={name}")).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_form_knows_the_schema_and_a_double_click_starts_one_run()
    {
        Site.Require();
        var id = await site.CreateJobsAsync("""
            {"name":"typed","trigger":"manual","inputs":{"version":{"type":"string","required":true,"description":"what to build"},"target":{"type":"choice","options":["a","b"],"default":"b"},"dry":{"type":"boolean"}},
             "jobs":[{"id":"one","name":"one","command":"true","required_labels":["of-no-worker"]}]}
            """);
        await using var visit = await Visit.AsAsync(site, "manager");
        await visit.GoAsync($"/ui/workflows/{id}?tab=start");
        await visit.Button("Check only").ClickAsync();
        Assert.Contains("tab=start", visit.Page.Url, StringComparison.Ordinal);
        await visit.Page.GetByLabel("version").FillAsync("1.2");
        await visit.Page.GetByLabel("target").SelectOptionAsync("a");
        await visit.Page.GetByLabel("dry").CheckAsync();
        await visit.Button("Check only").ClickAsync();
        await visit.ShowsAsync(".done", "The run could start.");
        Assert.Equal("1.2", await visit.Page.GetByLabel("version").InputValueAsync());
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Start", Exact = true }).DblClickAsync();
        await Expect(visit.Page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/ui/runs/"));
        Assert.Single(await site.Wire.InstancesAsync($"workflow={id}"));
        await visit.Link("Start like this").ClickAsync();
        await Expect(visit.Page.GetByLabel("version")).ToHaveValueAsync("1.2");
        await visit.AccessibleAsync("start form");
    }

    [Fact]
    public async Task A_wait_is_answered_in_the_inbox_and_the_second_answer_learns_it()
    {
        Site.Require();
        var name = OperatorWire.NewName("inbox");
        await site.Wire.Wire.RegisterAsync("""
            {"workflow_id":"NAME","version":"1","steps":{"gate":{"kind":"waitForEvent","event":"approval"}},"events":{"approval":{"types":["HumanResponseEvent"],"schema":{"type":"object","required":["note"],"properties":{"note":{"type":"string"}}}}}}
            """.Replace("NAME", name, StringComparison.Ordinal));
        await site.Wire.StartAsync(name, "order-7");
        await using var visit = await Visit.AsAsync(site, "sender", expects: fault => fault.Contains("409", StringComparison.Ordinal));
        await using var other = await visit.TabAsync();
        foreach (var tab in (Visit[])[visit, other])
        {
            await tab.GoAsync("/ui/waiting?for=people");
            await tab.Row(name).GetByText("Answer…").ClickAsync();
            await tab.Row(name).GetByLabel("note").FillAsync("yes");
        }

        await visit.AccessibleAsync("answer form");
        await visit.Row(name).GetByRole(AriaRole.Button, new() { Name = "Send" }).ClickAsync();
        await visit.GoneAsync($"tr:has-text('{name}')");
        Assert.Equal("succeeded", OperatorWire.Text(await site.Wire.GetAsync($"/runs/{name}/order-7"), "status"));
        await other.Row(name).GetByRole(AriaRole.Button, new() { Name = "Send" }).ClickAsync();
        await other.ShowsAsync(".problem", "ended");
    }

    [Fact]
    public async Task A_silent_worker_is_shown_with_its_lease_and_the_step_says_why()
    {
        Site.Require();
        var name = OperatorWire.NewName("silent");
        var worker = await site.Wire.RegisterAsync(name, World.Chain);
        await site.Wire.StartAsync(name, "i-1");
        await site.Wire.Wire.MustClaimAsync(worker);
        await using var visit = await Visit.AsAsync(site, "manager");
        await visit.GoAsync($"/ui/workers/{worker}");
        await visit.ShowsAsync("tbody tr", "i-1");
        await visit.Link("Release leases…").ClickAsync();
        await visit.ShowsAsync(".dialog", "i-1 / ");
        await visit.Button("Release leases").ClickAsync();
        await visit.ShowsAsync("h2", "0 leases");
        await visit.GoAsync($"/ui/runs/{name}/i-1?step=one");
        await visit.ShowsAsync(".drawer", "Why");
        var run = await site.Wire.GetAsync($"/runs/{name}/i-1/explain");
        Assert.NotEqual(JsonValueKind.Undefined, run.ValueKind);
    }
}
