using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Broker.Tests.App;
using Broker.Tests.Operators;
using Xunit;
using static Broker.Tests.Operators.OperatorWire;

namespace Broker.Tests.Console;

/// <summary>Rows of pages against items of the API, field by field.</summary>
public abstract partial class ConsoleFieldSuite(BrokerApp app)
{
    private readonly OperatorWire wire = new(app.Client);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_list_shows_the_fields_of_the_api()
    {
        var name = await MakeAsync();
        await SameAsync("runs", "/runs", "workflow", "instance", "status", "created_at", "error.name", "error.message", "tags.branch");
        await SameAsync($"runs/{name}/bad?tab=steps", $"/runs/{name}/bad/steps", "name", "status", "worker", "begun_at", "error.name", "error.message");
        await SameAsync("workflows", "/workflows", "name", "version", "kind", "steps", "last_run.instance", "last_run.status");
        await SameAsync($"workflows/{name}?tab=versions", $"/workflows/{name}/versions", "version", "registered_at");
        await SameAsync("waiting", "/waiting", "workflow", "instance", "step", "event", "since");
        await SameAsync("workers", "/workers", "id", "kind", "status", "leases", "holds.0.instance", "holds.0.step");
        await SameAsync("queues", "/queues", "depth.count", "leased", "workers_able", "workflow", "version");
        await SameAsync("failures?since=all", "/failures", "count", "error_name", "message", "workflow", "step", "first_at", "last_at", "sample.instance");
        await SameAsync("bulk", "/bulk", "id", "state", "action", "where", "total", "done", "failed", "skipped", "by", "created_at");
        await SameAsync("audit", "/audit", "at", "key", "action", "workflow", "instance", "detail");
        await SameAsync("system", "/system", "name", "value");
    }

    [Fact]
    public async Task The_page_of_a_run_shows_its_fields()
    {
        var name = await MakeAsync();
        var run = await wire.GetAsync($"/runs/{name}/bad");
        var page = WebUtility.HtmlDecode(await PageAsync($"runs/{name}/bad?tab=data"));
        foreach (var member in (string[])["workflow", "instance", "status", "version", "created_at", "error.name", "error.message", "error.step", "definition.fingerprint"]) Assert.Contains(Of(run, member)!, page, StringComparison.Ordinal);
        foreach (var action in run.GetProperty("actions").EnumerateArray().Where(action => !action.GetProperty("allowed").GetBoolean() && Text(action, "name") is not ("send_event" or "fork"))) Assert.Contains(Text(action, "why_not"), page, StringComparison.Ordinal);
        var step = await wire.GetAsync($"/runs/{name}/bad/steps/test");
        var drawer = WebUtility.HtmlDecode(await PageAsync($"runs/{name}/bad?step=test"));
        foreach (var cause in step.GetProperty("causes").EnumerateArray()) Assert.Contains(Text(cause, "message"), drawer, StringComparison.Ordinal);
        foreach (var attempt in (await wire.GetAsync($"/runs/{name}/bad/steps/test/attempts")).GetProperty("items").EnumerateArray()) Assert.Contains(Text(attempt, "worker"), drawer, StringComparison.Ordinal);
        foreach (var cause in (await wire.GetAsync($"/runs/{name}-gate/ask/explain")).GetProperty("causes").EnumerateArray()) Assert.Contains(Text(cause, "message"), WebUtility.HtmlDecode(await PageAsync($"runs/{name}-gate/ask")), StringComparison.Ordinal);
    }

    private async Task<string> MakeAsync()
    {
        var name = NewName("fields");
        var worker = await wire.RegisterAsync(name, """
            {"checkout":{"predecessors":[],"successors":{"default":["test"]}},"test":{"predecessors":["checkout"],"successors":{}}}
            """);
        await wire.StartAsync(name, "bad", """{"suite":"api"}""");
        await wire.Wire.RunAsync(worker, "checkout");
        await wire.Wire.RunAsync(worker, "test", "FAILED", """{"error":"upstream 7 did not answer"}""");
        await wire.StartAsync(name, "busy");
        await wire.Wire.MustClaimAsync(worker);
        await wire.RegisterAsync($"{name}-gate", """{"gate":{"kind":"waitForEvent","event":"go"}}""");
        await wire.StartAsync($"{name}-gate", "ask");
        await app.Client.PutAsync(new Uri($"/api/v1/runs/{name}/bad/tags", UriKind.Relative), new StringContent("""{"branch":"main"}"""), Ct);
        var plan = await wire.Wire.PostAsync("/api/v1/bulk", $$"""{"action":"pause","where":"workflow={{name}} instance=none","dry_run":false,"reason":"none"}""");
        Assert.Equal(202, plan.Status);
        var bulk = plan.Json.GetProperty("id").GetInt64();
        await Testing.Eventually.TrueAsync(async () => Text(await wire.GetAsync($"/bulk/{bulk}"), "state") == "done");
        return name;
    }

    // Rows of the first table in the order of the API's items, which lie in "items", "groups" or "settings".
    private async Task SameAsync(string page, string path, params string[] members)
    {
        var answer = await wire.GetAsync(path);
        var items = (answer.TryGetProperty("items", out var list) || answer.TryGetProperty("groups", out list) ? list : answer.GetProperty("settings")).EnumerateArray().ToList();
        var html = await PageAsync(page);
        var rows = Row().Matches(html).Select(row => row.Value).Where(row => !row.Contains("<th scope=\"col\"", StringComparison.Ordinal)).ToList();
        if (page.StartsWith("system", StringComparison.Ordinal)) rows = [.. rows.Skip(rows.Count - items.Count)];
        Assert.NotEmpty(items);
        Assert.True(rows.Count >= items.Count, $"{page}: {rows.Count} rows for {items.Count} items");
        for (var i = 0; i < items.Count; i++)
        {
            var row = WebUtility.HtmlDecode(rows[i]);
            foreach (var member in members)
            {
                if (Of(items[i], member) is { } text) Assert.True(Squeezed(row).Contains(Squeezed(text), StringComparison.Ordinal), $"{page}, {member} of item {i}: '{text}' is not in {row}");
            }
        }
    }

    private async Task<string> PageAsync(string path)
    {
        using var answer = await app.Client.GetAsync(new Uri($"/ui/{path}", UriKind.Relative), Ct);
        var html = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(answer.StatusCode is HttpStatusCode.OK, $"{path}: {answer.StatusCode} {html}");
        return html;
    }

    // Text of a member as a page shows it; null where the item has none.
    private static string? Of(JsonElement owner, string member)
    {
        foreach (var part in member.Split('.'))
        {
            if (owner.ValueKind is JsonValueKind.Array)
            {
                if (owner.GetArrayLength() == 0) return null;
                owner = owner[0];
            }
            else if (!owner.TryGetProperty(part, out owner))
            {
                return null;
            }
        }

        return owner.ValueKind switch
        {
            JsonValueKind.String when owner.TryGetDateTimeOffset(out var at) => $"datetime=\"{at.UtcDateTime:yyyy-MM-ddTHH:mm:ss.fff}Z\"",
            JsonValueKind.String => owner.GetString()!.Replace('_', ' '),
            JsonValueKind.Null => null,
            _ => Tagless(owner.GetRawText()),
        };
    }

    private static string Squeezed(string text) => Tagless(text).Replace('_', ' ').Replace(" ", "", StringComparison.Ordinal);

    private static string Tagless(string text) => text.Replace("\n", "", StringComparison.Ordinal);

    [GeneratedRegex("<tr.*?</tr>", RegexOptions.Singleline)]
    private static partial Regex Row();
}

public sealed class PostgresConsoleFieldTests(PostgresApp app) : ConsoleFieldSuite(app), IClassFixture<PostgresApp>;

public sealed class SqliteConsoleFieldTests(SqliteApp app) : ConsoleFieldSuite(app), IClassFixture<SqliteApp>;
