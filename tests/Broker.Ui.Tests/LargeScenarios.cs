using System.Globalization;
using System.Text;
using System.Text.Json;
using Broker.Tests.Operators;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Broker.Ui.Tests;

/// <summary>A graph of thousands of steps and a log of a hundred thousand lines.</summary>
public sealed class LargeScenarios(Site site)
{
    private const int Steps = 5000;
    private const int Wide = 100;
    private const int MostElements = 600;
    private const int Lines = 100_000;
    private const int Needle = 41_207;
    private const int Chunk = 4000;

    [Fact]
    public async Task A_graph_of_5000_steps_draws_what_is_in_view_and_is_walked_by_keys()
    {
        Site.Require();
        var name = OperatorWire.NewName("graph");
        await site.Wire.RegisterAsync(name, Graph());
        await site.Wire.StartAsync(name, "i-1");
        await using var visit = await Visit.AsAsync(site, "reader");
        await visit.GoAsync($"/ui/runs/{name}/i-1?tab=graph");
        await visit.Find("dag-view[data-own-ready]").WaitForAsync();
        Assert.InRange(await visit.Find("dag-view svg *").CountAsync(), 1, MostElements * 4);
        Assert.InRange(await visit.Find("dag-view a.node").CountAsync(), 1, MostElements);
        await visit.AccessibleAsync("large graph");

        // Panning draws other steps, and never more than the bound.
        var most = await visit.Page.EvaluateAsync<int>("""
            async () => {
                const view = document.querySelector('.dag-scroll');
                let most = 0;
                for (let i = 0; i < 60; i++) {
                    view.scrollBy(150, 60);
                    await new Promise(requestAnimationFrame);
                    await new Promise(requestAnimationFrame);
                    most = Math.max(most, document.querySelectorAll('dag-view a.node, dag-view .edge').length);
                }
                return most;
            }
            """);
        Assert.InRange(most, 1, MostElements);

        await visit.Page.GetByLabel("Find a step").FillAsync("s-4321");
        await visit.Page.Keyboard.PressAsync("Enter");
        Assert.StartsWith("s-4321", await FocusedAsync(visit), StringComparison.Ordinal);
        await visit.Page.Keyboard.PressAsync("ArrowRight");
        Assert.StartsWith("s-4421", await FocusedAsync(visit), StringComparison.Ordinal);
        await visit.Page.Keyboard.PressAsync("ArrowLeft");
        await visit.Page.Keyboard.PressAsync("Enter");
        await visit.ShowsAsync(".drawer h2", "s-4321");
        await visit.Button("The whole graph").ClickAsync();
        await Expect(visit.Find(".dag-frame canvas:not([hidden])")).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task A_log_of_100000_lines_is_read_from_its_end_searched_linked_and_followed()
    {
        Site.Require();
        var (workflow, lease) = await ClaimAsync();
        for (var from = 0; from < Lines; from += Chunk) await PushAsync(workflow, lease, from, Chunk);
        await using var visit = await Visit.AsAsync(site, "reader");
        var instance = (await site.Wire.InstancesAsync($"workflow={workflow}")).Single();
        await visit.GoAsync($"/ui/runs/{workflow}/{instance}?tab=logs");
        await visit.ShowsAsync("log-view .line:last-child", "line 99999");
        Assert.InRange(await visit.Find("log-view .line").CountAsync(), 1, 120);
        await Expect(visit.Find("log-view .ansi-32").First).ToBeVisibleAsync();
        await visit.AccessibleAsync("log");

        // Found in the whole log, though the page holds its end.
        await visit.Page.GetByLabel("Find in the whole log").FillAsync("the needle");
        await visit.Page.Keyboard.PressAsync("Enter");
        await visit.ShowsAsync(".line.found", "the needle");
        await visit.ShowsAsync(".log-bar .note", "1 of 1");
        await visit.Find(".line.found a").ClickAsync();
        Assert.Contains("#L", visit.Page.Url, StringComparison.Ordinal);
        await visit.Page.ReloadAsync();
        await visit.ShowsAsync(".line.found", "the needle");

        await visit.Button("Follow").ClickAsync();
        await visit.ShowsAsync("log-view .line:last-child", "line 99999");
        await PushAsync(workflow, lease, Lines, 2000);
        await visit.ShowsAsync("log-view .line:last-child", "line 101999");

        var text = await site.Http.GetStringAsync(new Uri($"/api/v1/runs/{workflow}/{instance}/logs?format=text", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal(Lines + 2000, text.Count(c => c == '\n'));
        Assert.Contains(Text(Needle), text, StringComparison.Ordinal);
    }

    private static Task<string> FocusedAsync(Visit visit) => visit.Page.EvaluateAsync<string>("document.activeElement.getAttribute('aria-label') ?? ''");

    // Columns of a hundred steps, each after the one beside it.
    private static string Graph()
    {
        var steps = new StringBuilder("{");
        for (var i = 0; i < Steps; i++)
        {
            var (before, after) = (i >= Wide ? $"\"s-{i - Wide}\"" : "", i + Wide < Steps ? $$"""{"default":["s-{{i + Wide}}"]}""" : "{}");
            steps.Append(CultureInfo.InvariantCulture, $"{(i == 0 ? "" : ",")}\"s-{i}\":{{\"predecessors\":[{before}],\"successors\":{after}}}");
        }

        return steps.Append('}').ToString();
    }

    private async Task<(string Workflow, string Lease)> ClaimAsync()
    {
        var label = OperatorWire.NewName("log");
        var workflow = await site.CreateJobsAsync($$"""{"name":"log","trigger":"manual","jobs":[{"id":"one","name":"one","command":"true","required_labels":["{{label}}"]}]}""");
        await site.PostAsync($"/api/v1/workflows/{workflow}/runs", """{"instance":"i-1"}""");
        var claimed = JsonElement.Parse(await site.PostAsync("/api/jobs/claim", $$"""{"worker_id":"w-{{label}}","labels":["{{label}}"],"lease_ttl_secs":600,"wait":5}"""));
        return (workflow, claimed.GetProperty("lease").GetProperty("lease_id").GetString()!);
    }

    private static string Text(int line) => line == Needle ? "here is the needle" : string.Create(CultureInfo.InvariantCulture, $"\u001b[32mok\u001b[0m line {line}");

    private async Task PushAsync(string workflow, string lease, int from, int count) => await site.PostAsync(
        $"/api/jobs/{lease}/logs",
        JsonSerializer.Serialize(new { chunks = Enumerable.Range(from, count).Select(i => new { workflow_id = workflow, job_id = "one", sequence = i, data = Text(i), timestamp_ms = 1_800_000_000_000 + i, stream = "stdout" }) }));
}
