using System.Globalization;
using Broker.Tests.App;
using Broker.Tests.BrokerDialect;
using Xunit;

namespace Broker.Tests.CrossDialect;

/// <summary>A retry that falls due and claims that wait for it, in real time: how late they get it.</summary>
public abstract class DueClaimSuite(BrokerApp app)
{
    private const int Tries = 7;

    // Where the poll brings it, half of the tries are later than that.
    private static readonly TimeSpan Late = TimeSpan.FromMilliseconds(300);

    private static string Schema(string name) => Flows.Single(name, more: ""","retries":{"limit":1,"delay_ms":700,"backoff":"constant"}""");

    private static async Task<TimeSpan> LatenessAsync(Wire failsAt, Wire waitsAt, bool waitsBefore)
    {
        var name = Flows.NewName("due");
        var (fails, waits) = (await failsAt.RegisterAsync(Schema(name)), await waitsAt.RegisterAsync(Schema(name)));
        await failsAt.DispatchAsync(Schema(name));
        var step = await failsAt.MustClaimAsync(fails);
        var early = waitsBefore ? waitsAt.ClaimAsync(waits, "&wait=20&extras=true") : null;
        Assert.Equal(204, (await failsAt.ReportAsync(fails, step, "FAILED", "\"no\"")).Status);
        var failed = TimeProvider.System.GetUtcNow();
        var again = await (early ?? waitsAt.ClaimAsync(waits, "&wait=20&extras=true"));

        Assert.Equal(1, again!.Value.GetProperty("attempt").GetInt32());
        Assert.Equal(204, (await waitsAt.ReportAsync(waits, again.Value, "SUCCEEDED")).Status);
        return TimeProvider.System.GetUtcNow() - failed - TimeSpan.FromMilliseconds(700);
    }

    private protected static async Task AssertSoonAsync(Wire failsAt, Wire waitsAt, bool waitsBefore)
    {
        var lateness = new List<TimeSpan>();
        for (var i = 0; i < Tries; i++) lateness.Add(await LatenessAsync(failsAt, waitsAt, waitsBefore));
        lateness.Sort();
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"late, with the report of the result: {string.Join(", ", lateness.Select(l => $"{l.TotalMilliseconds:0}"))} ms"));
        Assert.True(lateness[Tries / 2] < Late, $"median {lateness[Tries / 2].TotalMilliseconds:0} ms");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public Task A_retry_reaches_a_claim_that_waits_when_it_falls_due(bool waitsBefore) => AssertSoonAsync(new Wire(app.Client), new Wire(app.Client), waitsBefore);
}

public sealed class PostgresDueClaimTests(PostgresApp app) : DueClaimSuite(app), IClassFixture<PostgresApp>
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_retry_reaches_a_claim_that_waits_at_another_broker(bool waitsBefore)
    {
        using var other = await app.StartBrokerAsync();
        await AssertSoonAsync(new Wire(app.Client), new Wire(other), waitsBefore);
        await app.StopBrokerAsync();
    }

    private readonly PostgresApp app = app;
}

public sealed class SqliteDueClaimTests(SqliteApp app) : DueClaimSuite(app), IClassFixture<SqliteApp>;
