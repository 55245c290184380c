using System.Text.Json.Nodes;

namespace Broker.Worker.Tests;

/// <summary>Claims whose answer is lost: the leases it granted are neither left to expire nor granted twice.</summary>
public sealed class WorkerClaimTests : IDisposable
{
    private readonly FakeBroker broker = new();

    public void Dispose() => broker.Dispose();

    private static string ClaimIdOf(Request request)
    {
        var body = JsonNode.Parse(request.Body)!.AsObject();
        return (string)(body["claim"] ?? body)["claim_id"]!;
    }

    [Fact]
    public async Task Every_claim_has_an_id_of_its_own()
    {
        for (var i = 0; i < 3; i++) broker.Add($"job{i}", "true");
        await using var worker = new RunningWorker(broker);
        await broker.ReportOf("job2");
        await Eventually.True(() => broker.To("jobs/claim").Count() > 1, "a claim that waits");
        await worker.StopAsync();

        // The last claim was cut off by the shutdown and asked once more under its own id.
        string[] ids = [.. broker.To("jobs/claim").Concat(broker.To("jobs/complete").Where(r => r.Body.Contains("claim_id", StringComparison.Ordinal))).Select(ClaimIdOf)];
        Assert.Equal(ids.Length - 1, ids.Distinct().Count());
    }

    [Fact]
    public async Task A_claim_without_an_answer_is_repeated_under_its_id()
    {
        broker.LoseAnswerTo = "jobs/claim";
        broker.Add("job", "true");
        await using var worker = new RunningWorker(broker, o => o with { LeaseTtlSecs = 30 });

        Assert.True((await broker.ReportOf("job")).Ok);
        string[] ids = [.. broker.To("jobs/claim").Take(2).Select(ClaimIdOf)];
        Assert.Equal(ids[0], ids[1]);
    }

    [Fact]
    public async Task A_report_that_claims_is_repeated_as_it_was_when_its_answer_is_lost()
    {
        broker.Add("first", "true");
        broker.Add("second", "true");
        broker.LoseAnswerTo = "jobs/complete";
        await using var worker = new RunningWorker(broker, o => o with { LeaseTtlSecs = 30 });

        Assert.True((await broker.ReportOf("first")).Ok);
        Assert.True((await broker.ReportOf("second")).Ok);
        string[] reports = [.. broker.To("jobs/complete").Take(2).Select(r => r.Body)];
        Assert.Equal(reports[0], reports[1]);
    }

    [Fact]
    public async Task A_lease_granted_while_the_worker_stops_is_handed_back()
    {
        await using var worker = new RunningWorker(broker, o => o with { WaitSecs = 60 });
        await Eventually.True(() => broker.To("jobs/claim").Any(), "a claim that waits");
        broker.LoseAnswerTo = "jobs/claim";
        broker.Add("job", "true");
        await Eventually.True(() => broker.LoseAnswerTo is null, "the answer to be lost");

        await worker.StopAsync();

        await Eventually.True(() => broker.Released.ContainsKey("job") || broker.Reports.ContainsKey("job"), "the job to be handed back or run");
    }
}
