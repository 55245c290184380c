using System.Net;
using Broker.Tests.App;
using Xunit;

namespace Broker.Tests.InstancesDialect;

public abstract partial class InstancesDialectTests
{
    // Instances contract 5: plain string order, so capitals come before _ and small letters.
    [Fact]
    public async Task Instances_are_listed_by_descending_id()
    {
        var name = await StartedAsync("a", "B", "_c", "a-1", "9", "Z");

        var answer = (await Cli.ListAsync(name)).Expect(HttpStatusCode.OK);

        Assert.Equal(["a-1", "a", "_c", "Z", "B", "9"], Ids(answer["instances"]));
        Assert.False(answer["hasNextPage"].GetBoolean());
        Assert.False(answer.Has("cursor"));
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", answer["instances"][0].GetProperty("createdAt").GetString());
    }

    // Instances contract 2.3: never skipping or repeating a row while rows are added.
    [Fact]
    public async Task Pages_neither_skip_nor_repeat_while_instances_are_added()
    {
        var name = await StartedAsync([.. Enumerable.Range(10, 23).Select(i => $"i{i}")]);

        var seen = new List<string>();
        string? cursor = null;
        do
        {
            var page = (await Cli.ListAsync(name, cursor is null ? "?pageSize=5" : $"?cursor={cursor}&pageSize=99")).Expect(HttpStatusCode.OK);
            seen.AddRange(Ids(page["instances"]));
            Assert.Equal(page.Has("cursor"), page["hasNextPage"].GetBoolean());
            cursor = page.Has("cursor") ? page["cursor"].GetString() : null;
            if (cursor is not null)
            {
                Assert.Equal(5, page["instances"].GetArrayLength());
                Assert.Equal(cursor, page["nextCursor"].GetString());
                (await Cli.CreateAsync(name, $"x{seen.Count}")).Expect(HttpStatusCode.OK);
            }
        }
        while (cursor is not null);

        Assert.Equal(Enumerable.Range(10, 23).Select(i => $"i{i}").Reverse(), seen);
    }

    [Fact]
    public async Task With_a_status_instances_are_listed_by_descending_update()
    {
        var name = await StartedAsync("a", "b", "c", "d", "e");
        foreach (var id in new[] { "c", "a", "d" }) (await Cli.SteerAsync(name, id, "pause")).Expect(HttpStatusCode.OK);

        var first = (await Cli.ListAsync(name, "?status=paused&pageSize=2")).Expect(HttpStatusCode.OK);
        var second = (await Cli.ListAsync(name, $"?status=paused&cursor={first["cursor"].GetString()}")).Expect(HttpStatusCode.OK);

        Assert.Equal(["d", "a"], Ids(first["instances"]));
        Assert.Equal(["c"], Ids(second["instances"]));
        Assert.False(second["hasNextPage"].GetBoolean());
        Assert.Equal(["e", "b"], Ids((await Cli.ListAsync(name, "?status=queued"))["instances"]));
        Assert.Empty(Ids((await Cli.ListAsync(name, "?status=unknown"))["instances"]));
    }

    // Instances contract 12.
    [Fact]
    public async Task Active_is_a_status_on_flat_paths_only()
    {
        var name = await StartedAsync("a", "b");
        await Cli.SteerAsync(name, "b", "terminate");

        Assert.Equal(["a"], Ids((await new CliClient(Client, PathStyle.Flat).ListAsync(name, "?status=active")).Expect(HttpStatusCode.OK)["instances"]));
        (await Cli.ListAsync(name, "?status=active")).Expect(HttpStatusCode.BadRequest, "FRAGNO_VALIDATION_ERROR");
    }

    // Instances contract 2.3: a cursor that cannot be decoded is ignored, and so is one of another list.
    [Theory]
    [InlineData("garbage")]
    [InlineData("%00%ff")]
    [InlineData("")]
    [InlineData("e30=")]
    public async Task A_bad_cursor_means_the_first_page(string cursor)
    {
        var name = await StartedAsync("a", "b");

        Assert.Equal(["b", "a"], Ids((await Cli.ListAsync(name, $"?cursor={cursor}")).Expect(HttpStatusCode.OK)["instances"]));
        (await Cli.HistoryAsync(name, "a", $"?stepsCursor={cursor}&eventsCursor={cursor}&logsCursor={cursor}&includeLogs=true")).Expect(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("101")]
    [InlineData("2.5")]
    [InlineData("many")]
    public async Task A_bad_page_size_becomes_25(string size)
    {
        var name = await StartedAsync([.. Enumerable.Range(10, 26).Select(i => $"i{i}")]);

        Assert.Equal(25, (await Cli.ListAsync(name, $"?pageSize={size}")).Expect(HttpStatusCode.OK)["instances"].GetArrayLength());
    }

    private async Task<string> StartedAsync(params string[] ids)
    {
        var name = Flows.Name("pages");
        await StepWorker.RegisterAsync(Client, Flows.One(name));
        (await Cli.BatchAsync(name, $$"""{"instances":[{{string.Join(',', ids.Select(id => $$"""{"id":"{{id}}"}"""))}}]}""")).Expect(HttpStatusCode.OK);
        return name;
    }
}
