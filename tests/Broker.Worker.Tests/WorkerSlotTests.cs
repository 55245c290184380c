namespace Broker.Worker.Tests;

/// <summary>Slots, claims and the end of a worker.</summary>
public sealed class WorkerSlotTests : IDisposable
{
    private readonly FakeBroker _broker = new();

    public void Dispose() => _broker.Dispose();

    [Fact]
    public async Task Slots_run_side_by_side_and_no_more_than_asked_for()
    {
        // Each of the three waits until all three are there: it ends only when they run at the same time.
        string meeting = Directory.CreateTempSubdirectory("worker-test-").FullName;
        for (int i = 0; i < 3; i++)
            _broker.Add($"job{i}", $"touch {meeting}/{i}; while [ $(ls {meeting} | wc -l) -lt 3 ]; do sleep 0.02; done");
        _broker.Add("fourth", "true");

        await using var worker = new RunningWorker(_broker, o => o with { Slots = 3 });

        for (int i = 0; i < 3; i++)
            Assert.True((await _broker.ReportOf($"job{i}")).Ok);
        Assert.True((await _broker.ReportOf("fourth")).Ok);
        Directory.Delete(meeting, recursive: true);
        int firstEnd = worker.Log.IndexOf("succeeded: ", StringComparison.Ordinal);
        Assert.InRange(worker.Log.IndexOf("started: wf/fourth", StringComparison.Ordinal), firstEnd, int.MaxValue);
        Assert.Contains("\"count\":3,\"wait\":1", _broker.To("jobs/claim").First().Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_report_brings_the_next_job_of_its_slot()
    {
        for (int i = 0; i < 5; i++)
            _broker.Add($"job{i}", "true");

        await using var worker = new RunningWorker(_broker, o => o with { Labels = ["gpu"] });

        for (int i = 0; i < 5; i++)
            Assert.True((await _broker.ReportOf($"job{i}")).Ok);
        Assert.Equal(5, _broker.To("jobs/complete").Count());
        Assert.Contains("""
            "claim":{"worker_id":"w","labels":["gpu"],"lease_ttl_secs":1,"count":1,"wait":0,"claim_id":"
            """.Trim(), _broker.To("jobs/complete").First().Body, StringComparison.Ordinal);
        Assert.InRange(_broker.To("jobs/claim").Count(), 1, 2);
    }

    [Fact]
    public async Task Waiting_for_work_costs_one_request()
    {
        await using var worker = new RunningWorker(_broker, o => o with { WaitSecs = 30 });
        await Eventually.True(() => _broker.To("jobs/claim").Any(), "a claim");

        _broker.Add("job", "true");

        Assert.True((await _broker.ReportOf("job")).Ok);
        Assert.Equal(1, _broker.To("jobs/claim").Count(r => r.At < _broker.To("jobs/complete").First().At));
    }

    [Fact]
    public async Task A_worker_without_work_stops_at_once()
    {
        await using var worker = new RunningWorker(_broker, o => o with { WaitSecs = 60, GraceSecs = 60 });
        await worker.Logged("registered");

        await worker.StopAsync();

        Assert.Contains("stopped", worker.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_that_ends_within_the_grace_time_is_reported()
    {
        _broker.Add("job", "echo $$; sleep 0.3; echo a=1 > $BROKER_OUTPUT");
        _broker.Add("next", "true");
        await using var worker = new RunningWorker(_broker, o => o with { GraceSecs = 60 });
        await _broker.PidPrintedBy("job");

        await worker.StopAsync();

        Assert.Equal("1", (string?)_broker.Reports["job"].Outputs!["a"]);
        Assert.False(_broker.Reports.ContainsKey("next"));
        Assert.DoesNotContain("claim", _broker.To("jobs/complete").Single().Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_that_takes_longer_is_stopped_and_handed_back()
    {
        _broker.Add("job", "sleep 300 & echo $!; wait");
        await using var worker = new RunningWorker(_broker);
        int grandchild = await _broker.PidPrintedBy("job");

        await worker.StopAsync();

        Assert.False(Eventually.IsRunning(grandchild));
        Assert.True(_broker.Released.ContainsKey("job"));
        Assert.False(_broker.Reports.ContainsKey("job"));
        Assert.Contains("handed back: wf/job attempt 0", worker.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broker_without_releases_gets_a_failure()
    {
        _broker.Extended = false;
        _broker.Add("job", "echo $$; sleep 300");
        await using var worker = new RunningWorker(_broker);
        await _broker.PidPrintedBy("job");

        await worker.StopAsync();

        Assert.Equal(("the worker was stopped", true), (_broker.Reports["job"].Error, _broker.Reports["job"].Retryable));
    }

    [Fact]
    public async Task A_broker_that_is_away_does_not_keep_a_worker_from_stopping()
    {
        _broker.Add("job", "echo $$; sleep 300");
        await using var worker = new RunningWorker(_broker, timings: t => t with
        {
            StoppedLogs = TimeSpan.FromMilliseconds(100),
            LastReports = TimeSpan.FromMilliseconds(100),
        });
        int pid = await _broker.PidPrintedBy("job");
        _broker.Stop();

        await worker.StopAsync();

        Assert.False(Eventually.IsRunning(pid));
        Assert.Contains("not handed back: wf/job", worker.Log, StringComparison.Ordinal);
    }
}
