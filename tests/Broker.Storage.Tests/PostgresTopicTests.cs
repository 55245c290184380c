using Broker.Core.Runs;
using Broker.Storage.Contracts;
using Broker.Storage.Postgres;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>A topic's version changes with every event, every end and every line of any broker.</summary>
public sealed class PostgresTopicTests(PostgresCluster cluster) : StoreTests(new OnPostgres(cluster))
{
    private async Task<string> OfAsync(string topic) =>
        (await new PostgresTopics((PostgresEngine)Store.Engine).VersionsAsync([topic, "odd", "r", "l9:x"], Ct)).GetValueOrDefault(topic, "none");

    [Fact]
    public async Task A_run_has_a_new_version_after_each_event_and_when_it_ends()
    {
        var run = await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a")), "i");
        var seen = new HashSet<string> { await OfAsync(Topics.Run(run.Id)) };
        var a = (await ClaimAsync())!;
        await OpenPeer().Steps.PublishAsync(a.Lease, [new PublishedEvent("T", "{}")], Ct);
        Assert.True(seen.Add(await OfAsync(Topics.Run(run.Id))));
        Assert.False(seen.Add(await OfAsync(Topics.Run(run.Id))));
        await SucceedAsync(a);
        Assert.True(seen.Add(await OfAsync(Topics.Run(run.Id))));
        await Store.Runs.ControlAsync("d", "i", ControlCommand.Purge, Ct);
        Assert.Equal("none", await OfAsync(Topics.Run(run.Id)));
    }

    [Fact]
    public async Task A_log_has_a_new_version_after_each_line_of_its_own()
    {
        const string workflow = "w/1:x";
        var topic = Topics.Log(workflow, "s/t");
        var before = await OfAsync(topic);
        await Store.Logs.PushAsync(null, [new LogChunk(workflow, "other", 0, "\"x\"", 1, "stdout")], Ct);
        Assert.Equal(before, await OfAsync(topic));
        await OpenPeer().Logs.PushAsync(null, [new LogChunk(workflow, "s/t", 0, "\"x\"", 1, "stdout")], Ct);
        Assert.NotEqual(before, await OfAsync(topic));
    }
}
