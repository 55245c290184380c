using System.Net;
using Broker.Tests.App;
using Broker.Tests.Operators;
using Broker.Ui.Routing;
using Xunit;
using static Broker.Tests.Operators.OperatorWire;

namespace Broker.Tests.Console;

/// <summary>Pages of the console over HTTP, without script.</summary>
public abstract class ConsoleSuite(BrokerApp app)
{
    private readonly OperatorWire wire = new(app.Client);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_page_of_a_run_names_it_and_carries_the_policy()
    {
        var name = NewName("page");
        await wire.RegisterAsync(name, """{"gate":{"kind":"waitForEvent","event":"go"},"nap":{"kind":"sleep","duration_ms":3600000}}""");
        await wire.StartAsync(name, "i-1");
        foreach (var path in (string[])[
            "", "runs", $"runs?where=workflow%3D{name}", $"runs/{name}/i-1", $"runs/{name}/i-1?step=gate", $"runs/{name}/i-1?tab=graph&step=nap", $"runs/{name}/i-1?tab=timeline",
            $"runs/{name}/i-1?tab=events", $"runs/{name}/i-1?tab=logs", $"runs/{name}/i-1?tab=data", $"runs/{name}/i-1/cancel", $"runs/{name}/i-1/delete", "workflows",
            $"workflows?q={name}", $"workflows/{name}", $"workflows/{name}?tab=steps", $"workflows/{name}?tab=start", $"workflows/{name}?tab=runs", $"workflows/{name}?tab=versions",
            $"workflows/{name}?tab=document", "waiting", "waiting?for=events", "workers", "queues", "audit", "failures", "failures?since=all", "bulk", "bulk/new?action=tag", "keys", "system",
            $"search?q={name}", "search?q=nothing-has-this-name", $"runs/{name}/i-1/fork", $"runs/{name}/i-1/tags", $"runs/{name}/i-1/steps/gate/complete?run=0", $"workflows/{name}/pause-starts", "keys/absent/revoke"])
        {
            using var answer = await app.Client.GetAsync(new Uri($"/ui/{path}", UriKind.Relative), Ct);
            var html = await answer.Content.ReadAsStringAsync(Ct);
            Assert.True(answer.StatusCode is HttpStatusCode.OK, $"{path}: {answer.StatusCode} {html}");
            Assert.Equal("text/html; charset=utf-8", answer.Content.Headers.ContentType?.ToString());
            Assert.Equal(ConsoleRoutes.ContentPolicy, answer.Headers.GetValues("Content-Security-Policy").Single());
            Assert.StartsWith("<!DOCTYPE html>", html, StringComparison.Ordinal);
            Assert.Contains("</html>", html, StringComparison.Ordinal);
            if (path.Contains(name, StringComparison.Ordinal)) Assert.Contains(name, html, StringComparison.Ordinal);
            foreach (var forbidden in (string[])[" style=\"", "<style", "javascript:", " onclick"]) Assert.DoesNotContain(forbidden, html, StringComparison.OrdinalIgnoreCase);
        }
    }

    [Theory]
    [InlineData("a b%c#d?e")]
    [InlineData("ü—<script>alert(1)</script>")]
    [InlineData("quote\"and'and&amp;")]
    public async Task Any_name_finds_its_page_and_stays_text(string stem)
    {
        var name = NewName("odd") + stem;
        await wire.RegisterAsync(name, """{"gate":{"kind":"waitForEvent","event":"go"}}""");
        await wire.StartAsync(name, "i-1");
        var list = await PageAsync($"/ui/runs{Links.Query(("where", $"workflow=\"{name.Replace("\"", "\\\"", StringComparison.Ordinal)}\""))}");
        var links = new Links("");
        Assert.Contains(WebUtility.HtmlEncode(links.Run(name, "i-1")).Replace("&#39;", "'", StringComparison.Ordinal), WebUtility.HtmlDecode(list).Replace("&", "&amp;", StringComparison.Ordinal), StringComparison.Ordinal);
        foreach (var path in (string[])[links.Run(name, "i-1"), links.Run(name, "i-1", tab: "graph"), links.Workflow(name), links.Workflow(name, "start")])
        {
            var page = await PageAsync(path);
            Assert.Contains(name, WebUtility.HtmlDecode(page), StringComparison.Ordinal);
            Assert.DoesNotContain("<script>alert", page, StringComparison.OrdinalIgnoreCase);
        }
    }

    [Fact]
    public async Task Forms_act_without_script()
    {
        var name = NewName("form");
        await wire.RegisterAsync(name, """{"gate":{"kind":"waitForEvent","event":"go"}}""");

        var started = await PostAsync($"/ui/workflows/{name}/runs", ("json", """{"n":12345678901234567890}"""), ("instance", "i-1"));
        Assert.Equal((HttpStatusCode.SeeOther, $"/ui/runs/{name}/i-1"), (started.Status, started.Location));
        Assert.Contains("12345678901234567890", await PageAsync($"/ui/runs/{name}/i-1?tab=data"), StringComparison.Ordinal);

        Assert.Equal(HttpStatusCode.SeeOther, (await PostAsync($"/ui/runs/{name}/i-1/pause", ("reason", "noon"))).Status);
        Assert.Equal("paused", Text(await wire.GetAsync($"/runs/{name}/i-1"), "status"));
        Assert.Equal(HttpStatusCode.SeeOther, (await PostAsync($"/ui/runs/{name}/i-1/resume")).Status);
        Assert.Equal(HttpStatusCode.SeeOther, (await PostAsync($"/ui/runs/{name}/i-1/events", ("type", "go"), ("json", "{}"))).Status);
        Assert.Equal("succeeded", Text(await wire.GetAsync($"/runs/{name}/i-1"), "status"));
        Assert.Contains("resume", (await wire.GetAsync($"/audit?workflow={name}")).ToString(), StringComparison.Ordinal);

        // A destructive action asks for the name, and acts on the run that the page showed.
        Assert.Equal(HttpStatusCode.OK, (await PostAsync($"/ui/runs/{name}/i-1/restart", ("typed", "i-2"))).Status);
        var other = await PostAsync($"/ui/runs/{name}/i-1/restart", ("typed", "i-1"), ("if_run", "7"));
        Assert.Equal(HttpStatusCode.Conflict, other.Status);
        Assert.Equal(0, (await wire.GetAsync($"/runs/{name}/i-1")).GetProperty("run").GetInt32());
        Assert.Equal(HttpStatusCode.SeeOther, (await PostAsync($"/ui/runs/{name}/i-1/restart", ("typed", "i-1"), ("if_run", "0"))).Status);
        Assert.Equal(HttpStatusCode.SeeOther, (await PostAsync($"/ui/runs/{name}/i-1/delete", ("typed", "i-1"))).Status);
        await wire.ProblemAsync($"/runs/{name}/i-1", 404, "not_found");
    }

    [Fact]
    public async Task A_form_sent_twice_starts_one_run()
    {
        var name = NewName("twice");
        await wire.RegisterAsync(name, """{"gate":{"kind":"waitForEvent","event":"go"}}""");
        var once = Guid.NewGuid().ToString("N");
        var first = await PostAsync($"/ui/workflows/{name}/runs", ("json", "{}"), ("once", once));
        var second = await PostAsync($"/ui/workflows/{name}/runs", ("json", "{}"), ("once", once));
        Assert.Equal((HttpStatusCode.SeeOther, first.Location), (second.Status, second.Location));
        Assert.Single(await wire.InstancesAsync($"workflow={name}"));
    }

    [Fact]
    public async Task A_fault_is_said_on_a_page_and_nothing_is_stored()
    {
        var name = NewName("fault");
        await wire.RegisterAsync(name, """{"gate":{"kind":"waitForEvent","event":"go"}}""");
        foreach (var (path, status) in ((string, HttpStatusCode)[])[
            ($"/ui/runs/{name}/absent", HttpStatusCode.NotFound), ("/ui/workflows/absent", HttpStatusCode.NotFound), ("/ui/workers/absent", HttpStatusCode.NotFound),
            ("/ui/runs?where=status%3Dodd", HttpStatusCode.OK), ("/ui/runs?cursor=odd", HttpStatusCode.OK)])
        {
            using var answer = await app.Client.GetAsync(new Uri(path, UriKind.Relative), Ct);
            Assert.Equal((path, status), (path, answer.StatusCode));
            Assert.Contains("class=\"problem\"", await answer.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        }

        Assert.Equal(HttpStatusCode.BadRequest, (await PostAsync($"/ui/workflows/{name}/runs", ("json", "{"))).Status);
        Assert.Empty(await wire.InstancesAsync($"workflow={name}"));
    }

    [Fact]
    public async Task Declared_inputs_become_fields_and_their_faults_stand_on_the_form()
    {
        var posted = await wire.Wire.PostAsync("/api/workflows", """
            {"name":"typed","trigger":"manual","inputs":{"version":{"type":"string","required":true,"description":"what to build"},"target":{"type":"choice","options":["a","b"],"default":"b"},"dry":{"type":"boolean"}},
             "jobs":[{"id":"one","name":"one","command":"true"}]}
            """);
        Assert.True(posted.Status == 201, posted.ToString());
        var id = Text(posted.Json, "id");
        var form = WebUtility.HtmlDecode(await PageAsync($"/ui/workflows/{id}?tab=start"));
        foreach (var part in (string[])["name=\"f.version\"", "what to build", "<option selected>b</option>", "type=\"checkbox\" name=\"f.dry\""]) Assert.Contains(part, form, StringComparison.Ordinal);
        var refused = await PostAsync($"/ui/workflows/{id}/runs", ("k.version", "string"), ("f.version", ""), ("k.dry", "boolean"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.Status);
        Assert.Contains("/inputs/version", refused.Body, StringComparison.Ordinal);
        var started = await PostAsync($"/ui/workflows/{id}/runs", ("k.version", "string"), ("f.version", "1.2"), ("k.dry", "boolean"), ("f.dry", "true"));
        Assert.Equal(HttpStatusCode.SeeOther, started.Status);
        Assert.Contains("1.2", await PageAsync($"{started.Location}?tab=data"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Assets_are_kept_for_good_under_their_hash()
    {
        foreach (var (name, type) in ((string, string)[])[("ui.css", "text/css; charset=utf-8"), ("live.js", "text/javascript; charset=utf-8"), ("icon.svg", "image/svg+xml")])
        {
            using var answer = await app.Client.GetAsync(new Uri(new Links("").Asset(name), UriKind.Relative), Ct);
            Assert.Equal((HttpStatusCode.OK, type), (answer.StatusCode, answer.Content.Headers.ContentType?.ToString()));
            Assert.Contains("immutable", answer.Headers.CacheControl?.ToString(), StringComparison.Ordinal);
        }

        using var absent = await app.Client.GetAsync(new Uri(new Links("").Asset("none.js"), UriKind.Relative), Ct);
        Assert.Equal(HttpStatusCode.NotFound, absent.StatusCode);
    }

    [Fact]
    public async Task The_bare_address_leads_a_browser_to_the_console()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Accept.ParseAdd("text/html,application/xhtml+xml,*/*;q=0.8");
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = app.Client.BaseAddress };
        using var answer = await client.SendAsync(request, Ct);
        Assert.Equal((HttpStatusCode.Redirect, "ui/"), (answer.StatusCode, answer.Headers.Location?.OriginalString));
    }

    private async Task<string> PageAsync(string path)
    {
        using var answer = await app.Client.GetAsync(new Uri(path, UriKind.Relative), Ct);
        var html = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(answer.StatusCode is HttpStatusCode.OK, $"{path}: {answer.StatusCode} {html}");
        return html;
    }

    private async Task<(HttpStatusCode Status, string? Location, string Body)> PostAsync(string path, params (string Name, string Value)[] fields)
    {
        using var form = new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value)));
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = app.Client.BaseAddress };
        using var answer = await client.PostAsync(new Uri(path, UriKind.Relative), form, Ct);
        return (answer.StatusCode, answer.Headers.Location?.OriginalString, await answer.Content.ReadAsStringAsync(Ct));
    }
}

public sealed class PostgresConsoleTests(PostgresApp app) : ConsoleSuite(app), IClassFixture<PostgresApp>;

public sealed class SqliteConsoleTests(SqliteApp app) : ConsoleSuite(app), IClassFixture<SqliteApp>;
