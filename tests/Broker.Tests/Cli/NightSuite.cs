using Broker.Operators;
using Broker.Operators.Where;
using Broker.Sdk;
using Broker.Testing;
using Broker.Tests.Documents;
using Xunit;

namespace Broker.Tests.Cli;

/// <summary>The operator's night: the commands of the runbook, on 200 runs of which 25 failed, 50 starve and 50 wait.</summary>
public abstract class NightSuite
{
    internal const string Page = "docs/runbook.md";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private protected abstract Task<string> DatabaseUrlAsync();

    [Fact]
    public async Task The_commands_of_the_runbook_end_the_night()
    {
        var database = await DatabaseUrlAsync();
        using var folder = new TempFolder();
        await using var broker = await BrokerProcess.StartAsync(database);
        using var http = new HttpClient { BaseAddress = broker.Address };
        var (night, api) = (new Night(http), new OperatorClient(http));
        await night.BeginAsync();
        Assert.Equal((75, 25, 50, 50), (await CountAsync("status=succeeded"), await CountAsync("status=failed"), await CountAsync("workflow=train status=queued"), await CountAsync("status=waiting")));

        await PageRun.CheckAsync(Page, [.. new Page(Page).Blocks()], broker.Address, folder.Path, database);

        // Only the failed step of each retried run is ready again, and the answered runs go on.
        var ready = await night.ReadyAsync();
        Assert.Equal((25, 50), (ready.Count(step => step == "etl load"), ready.Count(step => step == "release publish")));
        Assert.Equal(75, ready.Count);
        Assert.Equal((50, 0), (await CountAsync("workflow=train status=cancelled"), await CountAsync("status=waiting")));

        async Task<int> CountAsync(string where)
        {
            Assert.True(WhereExpression.TryParse(where, out var expression, out _));
            return (await api.CountRunsAsync(new RunQuery(expression), 1000, Ct)).Count;
        }
    }
}

public sealed class PostgresNightTests(PostgresDatabase database) : NightSuite, IClassFixture<PostgresDatabase>
{
    private protected override Task<string> DatabaseUrlAsync()
    {
        PostgresCluster.Require();
        return Task.FromResult(database.ConnectionString);
    }
}

public sealed class SqliteNightTests : NightSuite, IDisposable
{
    private readonly SqliteFile file = new();

    public void Dispose() => file.Dispose();

    private protected override Task<string> DatabaseUrlAsync() => Task.FromResult($"sqlite:{file.Path}");
}
