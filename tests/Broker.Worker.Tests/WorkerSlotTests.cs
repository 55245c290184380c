namespace Broker.Worker.Tests;

/// <summary>Slots, claims and the end of a worker.</summary>
public sealed class WorkerSlotTests : IDisposable
{
    private readonly FakeBroker broker = new();

    public void Dispose() => broker.Dispose();

    [Fact]
    public async Task Slots_run_side_by_side_and_no_more_than_asked_for()
    {
        // Each of the three waits until all three are there: it ends only when they run at the same time.
        var meeting = Directory.CreateTempSubdirectory("worker-test-").FullName;
        for (var i = 0; i < 3; i++) broker.Add($"job{i}", $"touch {meeting}/{i}; while [ $(ls {meeting} | wc -l) -lt 3 ]; do sleep 0.02; done");
        broker.Add("fourth", "true");

        await using var worker = new RunningWorker(broker, o => o with { Slots = 3 });

        for (var i = 0; i < 3; i++) Assert.True((await broker.ReportOf($"job{i}")).Ok);
        Assert.True((await broker.ReportOf("fourth")).Ok);
        Directory.Delete(meeting, recursive: true);
        var firstEnd = worker.Log.IndexOf("succeeded: ", StringComparison.Ordinal);
        Assert.InRange(worker.Log.IndexOf("started: wf/fourth", StringComparison.Ordinal), firstEnd, int.MaxValue);
        Assert.Contains("\"count\":3,\"wait\":1", broker.To("jobs/claim").First().Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_report_brings_the_next_job_of_its_slot()
    {
        for (var i = 0; i < 5; i++) broker.Add($"job{i}", "true");

        await using var worker = new RunningWorker(broker, o => o with { Labels = ["gpu"] });

        for (var i = 0; i < 5; i++) Assert.True((await broker.ReportOf($"job{i}")).Ok);
        Assert.Equal(5, broker.To("jobs/complete").Count());
        Assert.Contains("""
            "claim":{"worker_id":"w","labels":["gpu"],"lease_ttl_secs":1,"count":1,"wait":0,"claim_id":"
            """.Trim(), broker.To("jobs/complete").First().Body, StringComparison.Ordinal);
        Assert.InRange(broker.To("jobs/claim").Count(), 1, 2);
    }

    [Fact]
    public async Task Waiting_for_work_costs_one_request()
    {
        await using var worker = new RunningWorker(broker, o => o with { WaitSecs = 30 });
        await Eventually.True(() => broker.To("jobs/claim").Any(), "a claim");

        broker.Add("job", "true");

        Assert.True((await broker.ReportOf("job")).Ok);
        Assert.Equal(1, broker.To("jobs/claim").Count(r => r.At < broker.To("jobs/complete").First().At));
    }

    [Fact]
    public async Task A_worker_without_work_stops_at_once()
    {
        await using var worker = new RunningWorker(broker, o => o with { WaitSecs = 60, GraceSecs = 60 });
        await worker.Logged("registered");

        await worker.StopAsync();

        Assert.Contains("stopped", worker.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_that_ends_within_the_grace_time_is_reported()
    {
        broker.Add("job", "echo $$; sleep 0.3; echo a=1 > $BROKER_OUTPUT");
        broker.Add("next", "true");
        await using var worker = new RunningWorker(broker, o => o with { GraceSecs = 60 });
        await broker.PidPrintedBy("job");

        await worker.StopAsync();

        Assert.Equal("1", (string?)broker.Reports["job"].Outputs!["a"]);
        Assert.False(broker.Reports.ContainsKey("next"));
        Assert.DoesNotContain("claim", broker.To("jobs/complete").Single().Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_that_takes_longer_is_stopped_and_handed_back()
    {
        broker.Add("job", "sleep 300 & echo $!; wait");
        await using var worker = new RunningWorker(broker);
        var grandchild = await broker.PidPrintedBy("job");

        await worker.StopAsync();

        Assert.False(Eventually.IsRunning(grandchild));
        Assert.True(broker.Released.ContainsKey("job"));
        Assert.False(broker.Reports.ContainsKey("job"));
        Assert.Contains("handed back: wf/job attempt 0", worker.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broker_without_releases_gets_a_failure()
    {
        broker.Extended = false;
        broker.Add("job", "echo $$; sleep 300");
        await using var worker = new RunningWorker(broker);
        await broker.PidPrintedBy("job");

        await worker.StopAsync();

        Assert.Equal(("the worker was stopped", true), (broker.Reports["job"].Error, broker.Reports["job"].Retryable));
    }

    [Fact]
    public async Task A_broker_that_is_away_does_not_keep_a_worker_from_stopping()
    {
        broker.Add("job", "echo $$; sleep 300");
        await using var worker = new RunningWorker(broker, timings: t => t with
        {
            StoppedLogs = TimeSpan.FromMilliseconds(100),
            LastReports = TimeSpan.FromMilliseconds(100),
        });
        var pid = await broker.PidPrintedBy("job");
        broker.Stop();

        await worker.StopAsync();

        Assert.False(Eventually.IsRunning(pid));
        Assert.Contains("not handed back: wf/job", worker.Log, StringComparison.Ordinal);
    }
}
