using System.Net;
using System.Text.RegularExpressions;
using Broker.Tests.App;
using Broker.Tests.Operators;
using Broker.Ui.Pages;
using Xunit;
using static Broker.Tests.Operators.OperatorWire;

namespace Broker.Tests.Console;

/// <summary>Actions of the console by forms alone: on many runs, on steps, workers, workflows and keys.</summary>
public abstract partial class ConsoleActionSuite(BrokerApp app)
{
    private const string Gate = """{"gate":{"kind":"waitForEvent","event":"go"}}""";

    private readonly OperatorWire wire = new(app.Client);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Many_runs_are_acted_on_after_a_trial_and_a_confirmation()
    {
        var name = NewName("many");
        await wire.RegisterAsync(name, Gate);
        for (var i = 0; i < 4; i++) await wire.StartAsync(name, $"i-{i}");
        var list = await PageAsync($"/ui/runs?where=workflow%3D{name}");
        var shown = ShownRun().Matches(list).Select(match => WebUtility.HtmlDecode(match.Groups[1].Value)).ToList();
        Assert.Equal(4, shown.Count);

        // All that match, without the run of the page whose tick is gone.
        var plan = await PostAsync("/ui/bulk/plan", [("action", "cancel"), ("all", "1"), ("where", $"workflow={name}"), .. shown.Select(run => ("shown", run)), .. shown.Skip(1).Select(run => ("run", run))]);
        Assert.Equal(HttpStatusCode.OK, plan.Status);
        Assert.Contains("Cancel 3 runs?", plan.Body, StringComparison.Ordinal);
        Assert.Equal(4, (await wire.InstancesAsync($"where=workflow%3D{name} status%3Dwaiting")).Count());

        var started = await PostAsync(Action().Match(plan.Body).Groups[1].Value, [.. Hidden(plan.Body), ("reason", "noon")]);
        Assert.Equal(HttpStatusCode.SeeOther, started.Status);
        await Testing.Eventually.TrueAsync(async () => (await PageAsync(started.Location!)).Contains("data-ended=\"true\"", StringComparison.Ordinal));
        var left = Assert.Single(await wire.InstancesAsync($"where=workflow%3D{name} status%3Dwaiting"));
        Assert.Contains($"/{left}/", shown[0], StringComparison.Ordinal);
        Assert.Contains("bulk_start", (await wire.GetAsync("/audit?action=bulk_start")).ToString(), StringComparison.Ordinal);
        Assert.Contains("noon", await PageAsync(started.Location!), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_delete_of_many_runs_is_typed_and_ticks_are_asked_for()
    {
        var name = NewName("typed");
        await wire.RegisterAsync(name, Gate);
        await wire.StartAsync(name, "i-1");
        await PostAsync($"/ui/runs/{name}/i-1/cancel");
        var plan = await PostAsync("/ui/bulk/plan", [("action", "delete"), ("all", "1"), ("where", $"workflow={name}")]);
        Assert.Contains("Type <code>delete 1</code>", plan.Body, StringComparison.Ordinal);
        var address = Action().Match(plan.Body).Groups[1].Value;
        var wrong = await PostAsync(address, [.. Hidden(plan.Body), ("typed", "delete 2")]);
        Assert.Contains("Type delete 1 to go on.", wrong.Body, StringComparison.Ordinal);
        var right = await PostAsync(Action().Match(wrong.Body).Groups[1].Value, [.. Hidden(wrong.Body), ("typed", "delete 1")]);
        Assert.Equal(HttpStatusCode.SeeOther, right.Status);
        await Testing.Eventually.TrueAsync(async () => !(await wire.InstancesAsync($"workflow={name}")).Any());

        var none = await PostAsync("/ui/bulk/plan", [("action", "pause"), ("where", $"workflow={name}")]);
        Assert.Contains("Tick runs first", none.Body, StringComparison.Ordinal);
        var argued = await PostAsync("/ui/bulk/plan", [("action", "tag"), ("all", "1"), ("where", $"workflow={name}")]);
        Assert.Contains("name=\"tags\"", argued.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Orders_about_steps_workflows_and_workers_say_what_they_do()
    {
        var name = NewName("order");
        var worker = await wire.RegisterAsync(name, Gate);
        await wire.StartAsync(name, "i-1");
        var step = $"/ui/runs/{name}/i-1/steps/gate";
        Assert.Contains("complete_step", await PageAsync($"{step}/complete?run=0"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await PostAsync($"{step}/complete?run=0", [("value", "{}")])).Status);
        Assert.Equal(HttpStatusCode.SeeOther, (await PostAsync($"{step}/complete?run=0", [("value", "{}"), ("reason", "by phone")])).Status);
        Assert.Equal("succeeded", Text(await wire.GetAsync($"/runs/{name}/i-1"), "status"));

        Assert.Equal(HttpStatusCode.SeeOther, (await PostAsync($"/ui/workflows/{name}/pause-starts", [("reason", "a fault")])).Status);
        Assert.Contains("a fault", await PageAsync($"/ui/workflows/{name}"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Conflict, (await PostAsync($"/ui/workflows/{name}/runs", [("json", "{}")])).Status);
        Assert.Equal(HttpStatusCode.SeeOther, (await PostAsync($"/ui/workflows/{name}/resume-starts")).Status);

        Assert.Equal(HttpStatusCode.SeeOther, (await PostAsync($"/ui/workers/{worker}/drain", [("reason", "new kernel")])).Status);
        Assert.Contains("new kernel", await PageAsync($"/ui/workers/{worker}"), StringComparison.Ordinal);
        Assert.Contains("new kernel", await PageAsync("/ui/system"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.SeeOther, (await PostAsync($"/ui/workers/{worker}/undrain")).Status);

        Assert.Equal(HttpStatusCode.SeeOther, (await PostAsync($"/ui/runs/{name}/i-1/tags", [("tags", "branch=main\nkim=1")])).Status);
        Assert.Contains("branch=main", await PageAsync($"/ui/runs?where=tag.branch%3Dmain workflow%3D{name}"), StringComparison.Ordinal);
        var forked = await PostAsync($"/ui/runs/{name}/i-1/fork", [("from", "gate"), ("id", "i-2"), ("inputs", "{}")]);
        Assert.Equal((HttpStatusCode.SeeOther, $"/ui/runs/{name}/i-2"), (forked.Status, forked.Location));
    }

    [Fact]
    public async Task The_search_goes_straight_to_a_single_hit()
    {
        var name = NewName("search");
        await wire.RegisterAsync(name, Gate);
        var instance = NewName("only");
        await wire.StartAsync(name, instance);
        Assert.Equal($"/ui/runs/{name}/{instance}?run=0", await LocationAsync($"/ui/search?q={instance}"));
        Assert.Equal($"/ui/workflows/{name}", await LocationAsync($"/ui/search?q={name}"));
        Assert.Equal("/ui/runs?where=status%3Dfailed%20since%3D1h", await LocationAsync("/ui/search?q=status%3Dfailed since%3D1h"));
    }

    [Fact]
    public async Task A_form_without_fields_is_refused_and_never_a_fault()
    {
        var name = NewName("empty");
        var worker = await wire.RegisterAsync(name, Gate);
        await wire.StartAsync(name, "i-1");
        var paths = Orders.All.Select(order => order.Pattern).Concat(["/bulk/plan", "/bulk/7/start", "/bulk/7/stop", "/bulk/7/again", "/bulk/x/stop", "/keys", "/login", "/workflows/{workflow}/runs", "/runs/{workflow}/{instance}/events", "/runs/{workflow}/{instance}/retry"]);
        foreach (var path in paths.Select(path => path.Replace("{workflow}", name, StringComparison.Ordinal).Replace("{instance}", "i-1", StringComparison.Ordinal).Replace("{step}", "gate", StringComparison.Ordinal).Replace("{worker}", worker, StringComparison.Ordinal).Replace("{key}", "absent", StringComparison.Ordinal)))
        {
            using var answer = await app.Client.PostAsync(new Uri($"/ui{path}", UriKind.Relative), null, Ct);
            Assert.True((int)answer.StatusCode < 500, $"{path}: {answer.StatusCode}");
        }
    }

    private async Task<string?> LocationAsync(string path)
    {
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = app.Client.BaseAddress };
        using var answer = await client.GetAsync(new Uri(path, UriKind.Relative), Ct);
        return answer.Headers.Location?.OriginalString;
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

    private static IEnumerable<(string Name, string Value)> Hidden(string html) =>
        HiddenField().Matches(html).Select(match => (match.Groups[1].Value, WebUtility.HtmlDecode(match.Groups[2].Value)));

    [GeneratedRegex("name=\"shown\" value=\"([^\"]+)\"")]
    private static partial Regex ShownRun();

    [GeneratedRegex("action=\"(/ui/bulk/\\d+/start)\"")]
    private static partial Regex Action();

    [GeneratedRegex("<input type=\"hidden\" name=\"([^\"]+)\" value=\"([^\"]*)\"")]
    private static partial Regex HiddenField();
}

public sealed class PostgresConsoleActionTests(PostgresApp app) : ConsoleActionSuite(app), IClassFixture<PostgresApp>;

public sealed class SqliteConsoleActionTests(SqliteApp app) : ConsoleActionSuite(app), IClassFixture<SqliteApp>;
