using Broker.Core.Runs;
using Broker.Testing;
using Npgsql;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Claims beside transactions that are taking many steps.</summary>
public sealed class CrowdedQueueTests(PostgresCluster cluster) : StoreTests(new OnPostgres(cluster))
{
    [Theory]
    [InlineData]
    [InlineData("gpu")]
    public async Task No_claim_is_empty_because_other_claims_lock_the_first_entries(params string[] labels)
    {
        await StartAsync(
            await RegisterAsync(ADefinition.Of("""
                {"workflow_id": "d", "jobs": {"name": "d", "trigger": "t"}, "steps": {"a": {"depends_on": [], "command": "true", "required_labels": ["gpu"]}}}
                """)),
            "i");
        Assert.NotNull(await ClaimAsync("w1", null, "gpu"));
        await StartAsync(await RegisterAsync(ADefinition.Jobs("w", [.. Enumerable.Range(0, 400).Select(i => $"s{i:000}")])), "i");
        await using var other = new NpgsqlConnection(Target.Postgres);
        await other.OpenAsync(Ct);
        await using var taking = new NpgsqlCommand("BEGIN; SELECT FROM step WHERE status = 1 ORDER BY rank, due, idx LIMIT 300 FOR UPDATE", other);
        await taking.ExecuteNonQueryAsync(Ct);
        Assert.Equal("s300", (await ClaimAsync("w1", null, labels))?.Step.Name);

        // Where no claim has been yet.
        var peer = OpenPeer();
        await peer.Waiting.PollAsync(Ct);
        Assert.Equal("s301", Assert.Single(await peer.Steps.ClaimAsync(new ClaimRequest("w2", ClaimScope.ByLabels, labels), Ct)).Step.Name);
    }
}
