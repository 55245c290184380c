using System.Text.Json;
using Broker.Tests.App;
using Xunit;
using static Broker.Tests.Operators.OperatorWire;

namespace Broker.Tests.Operators;

/// <summary>Pages of every list, there and back.</summary>
public abstract class PagingSuite(BrokerApp app)
{
    private const int Items = 7;

    private readonly OperatorWire wire = new(app.Client);

    [Fact]
    public async Task Pages_of_every_list_lead_back_to_the_first_one()
    {
        var name = NewName("pages");
        var steps = string.Join(',', Enumerable.Range(0, Items).Select(i => At("\"s{0}\":{{\"kind\":\"waitForEvent\",\"event\":\"go{0}\"}}", i)));
        for (var i = 0; i < Items; i++) await wire.RegisterAsync(name, $"{{{steps}}}");
        for (var i = 0; i < Items; i++)
        {
            await wire.StartAsync(name, At("i-{0}", i));
            Assert.Equal(200, (await wire.Wire.PostAsync($"/api/v1/runs/{name}/i-0/events", At("{{\"type\":\"other\",\"event_id\":\"e{0}\"}}", i))).Status);
            await wire.RegisterAsync(At("{0}-{1}", name, i), """{"a":{}}""");
            var plan = await wire.Wire.PostAsync("/api/v1/bulk", At(
                "{{\"action\":\"tag\",\"where\":\"workflow={0}\",\"args\":{{\"tags\":{{\"team\":\"a\"}}}},\"dry_run\":{1}}}", name, i == Items - 1 ? "false" : "true"));
            Assert.True(plan.Status is 200 or 202, plan.ToString());
        }

        await Testing.Eventually.TrueAsync(async () => Text((await wire.GetAsync("/bulk?limit=1")).GetProperty("items")[0], "state") == "done");
        var bulk = (await wire.GetAsync("/bulk?limit=1")).GetProperty("items")[0].GetProperty("id").GetInt64();
        await WalkAsync($"/runs?where=workflow={name}", "instance");
        await WalkAsync($"/runs?where=workflow={name}&order=oldest", "instance");
        await WalkAsync($"/runs?where=workflow={name}%20tag.team=a", "instance");
        await WalkAsync($"/runs?where=instance=i-*%20workflow={name}", "instance");
        await WalkAsync($"/runs/{name}/i-1/steps", "name");
        await WalkAsync($"/runs/{name}/i-0/events?type=other", "id");
        await WalkAsync($"/workflows?q={name}-", "name");
        await WalkAsync($"/waiting?workflow={name}&type=go3", "instance");
        await WalkAsync($"/workers?workflow={name}", "id");
        await WalkAsync($"/audit?workflow={name}&action=send_event", "id");
        await WalkAsync(At("/bulk/{0}/results", bulk), "instance");
        await WalkAsync("/bulk", "id");
    }

    [Fact]
    public async Task The_first_page_of_all_runs_follows_the_second_back()
    {
        var name = NewName("pages");
        await wire.RegisterAsync(name, """{"gate":{"kind":"waitForEvent","event":"go"}}""");
        for (var i = 0; i < 3; i++) await wire.StartAsync(name, At("i-{0}", i));
        var first = await wire.GetAsync("/runs?limit=2");
        var second = await wire.GetAsync($"/runs?limit=2&cursor={Text(first, "next")}");

        // A run of after the first page comes before it.
        await wire.StartAsync(name, "late");
        var back = await wire.GetAsync($"/runs?limit=2&cursor={Text(second, "prev")}");
        Assert.Equal(Ids(first, "instance"), Ids(back, "instance"));
        var newest = await wire.GetAsync($"/runs?limit=2&cursor={Text(back, "prev")}");
        Assert.Equal(["late"], Ids(newest, "instance"));
        Assert.Equal(JsonValueKind.Null, newest.GetProperty("prev").ValueKind);
        Assert.Equal(Ids(first, "instance"), Ids(await wire.GetAsync($"/runs?limit=2&cursor={Text(newest, "next")}"), "instance"));

        // Nothing is before it any more: the list begins here.
        Assert.Equal(200, (await wire.Wire.SendAsync(HttpMethod.Delete, $"/api/v1/runs/{name}/late", null)).Status);
        var none = await wire.GetAsync($"/runs?limit=2&cursor={Text(back, "prev")}");
        Assert.Empty(Ids(none, "instance"));
        Assert.Equal(Ids(first, "instance"), Ids(await wire.GetAsync($"/runs?limit=2&cursor={Text(none, "next")}"), "instance"));
        await wire.ProblemAsync($"/runs?limit=2&order=oldest&cursor={Text(second, "prev")}", 400, "cursor_mismatch");
    }

    private async Task WalkAsync(string path, string id)
    {
        var pages = new List<JsonElement>();
        for (string? cursor = null; pages.Count == 0 || cursor is not null; cursor = pages[^1].GetProperty("next").GetString()) pages.Add(await PageAsync(path, cursor));
        Assert.True(pages.Sum(page => Ids(page, id).Count) >= Items, $"{path}: {pages.Sum(page => Ids(page, id).Count)} items");
        Assert.Equal(JsonValueKind.Null, pages[0].GetProperty("prev").ValueKind);

        var at = pages[^1];
        for (var i = pages.Count - 2; i >= 0; i--)
        {
            Assert.True(at.GetProperty("prev").ValueKind is JsonValueKind.String, $"{path}: page {i + 1} has no prev");
            at = await PageAsync(path, Text(at, "prev"));
            Assert.Equal(Ids(pages[i], id), Ids(at, id));
        }

        Assert.Equal(JsonValueKind.Null, at.GetProperty("prev").ValueKind);
        Assert.Equal(Ids(pages[1], id), Ids(await PageAsync(path, Text(at, "next")), id));
    }

    private Task<JsonElement> PageAsync(string path, string? cursor) =>
        wire.GetAsync($"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}limit=2{(cursor is null ? "" : $"&cursor={cursor}")}");

    private static List<string> Ids(JsonElement page, string id) => [.. page.GetProperty("items").EnumerateArray().Select(item => item.GetProperty(id).GetRawText().Trim('"'))];
}

public sealed class PostgresPagingTests(PostgresApp app) : PagingSuite(app), IClassFixture<PostgresApp>;

public sealed class SqlitePagingTests(SqliteApp app) : PagingSuite(app), IClassFixture<SqliteApp>;
