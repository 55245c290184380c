using System.Diagnostics;

namespace Broker.Worker.Tests;

/// <summary>Heartbeats, lost leases and cancels (jobs contract 4, 6.6, 6.7, 8.1).</summary>
public sealed class WorkerLeaseTests : IDisposable
{
    // Ignores SIGTERM, in the shell and in a grandchild: only SIGKILL to the whole group ends it.
    private const string Stubborn = "trap '' TERM; sh -c 'while :; do sleep 300; done' & echo $!; while :; do sleep 300; done";

    private readonly FakeBroker broker = new();

    public void Dispose() => broker.Dispose();

    [Theory]
    [InlineData(true, "sleep 300 & echo $!; wait")]
    [InlineData(true, Stubborn)]
    [InlineData(false, "sleep 300 & echo $!; wait")]
    public async Task A_cancelled_job_is_stopped_with_all_its_processes(bool extended, string command)
    {
        broker.Extended = extended;
        broker.Add("a job/é", command);
        await using var worker = new RunningWorker(broker, o => o with { LeaseTtlSecs = 30 });
        var grandchild = await broker.PidPrintedBy("a job/é");
        Assert.True(Eventually.IsRunning(grandchild));

        broker.Cancelled["a job/é"] = true;

        var report = await broker.ReportOf("a job/é");
        Assert.Equal(("cancelled", true), (report.Error, report.Retryable));
        await Eventually.Gone(grandchild);
        Assert.NotEmpty(broker.To("jobs/wf/a%20job%2F%C3%A9/cancelled"));
    }

    [Fact]
    public async Task A_heartbeat_that_reports_a_cancellation_stops_the_job()
    {
        broker.Add("job", "sleep 300 & echo $!; wait");
        await using var worker = new RunningWorker(broker, timings: t => t with { CancelCheck = TimeSpan.FromMinutes(1) });
        await broker.PidPrintedBy("job");

        broker.Cancelled["job"] = true;

        Assert.Equal("cancelled", (await broker.ReportOf("job")).Error);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_job_whose_lease_is_lost_is_stopped_and_not_reported(bool extended)
    {
        broker.Extended = extended;
        broker.Add("job", Stubborn);
        broker.Add("next", "true");
        await using var worker = new RunningWorker(broker);
        var grandchild = await broker.PidPrintedBy("job");

        broker.Lost["job"] = true;

        await Eventually.Gone(grandchild);
        Assert.True((await broker.ReportOf("next")).Ok);
        Assert.DoesNotContain(broker.Requests, r => r.Body.Contains("-job\",\"error", StringComparison.Ordinal));
        Assert.False(broker.Reports.ContainsKey("job"));
        Assert.Contains("lease lost, stopping: wf/job attempt 0", worker.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_attempt_is_stopped_at_its_limit_by_the_worker_itself_and_reported()
    {
        broker.AttemptMs = 700;
        broker.Add("job", Stubborn);
        await using var worker = new RunningWorker(broker, o => o with { LeaseTtlSecs = 300 }, t => t with { CancelCheck = TimeSpan.FromMinutes(5) });
        var grandchild = await broker.PidPrintedBy("job");

        var report = await broker.ReportOf("job");

        Assert.Equal(("stopped at the limit of its attempt, 700 ms", true), (report.Error, report.Retryable));
        await Eventually.Gone(grandchild);
        Assert.EndsWith("stopped at the limit of its attempt, 700 ms\n", broker.Output("job"), StringComparison.Ordinal);
        Assert.Empty(broker.To("jobs/heartbeat"));
    }

    [Fact]
    public async Task An_attempt_that_ends_before_its_limit_is_reported_as_ever()
    {
        broker.AttemptMs = 300_000;
        broker.Add("job", "true");
        await using var worker = new RunningWorker(broker);
        Assert.True((await broker.ReportOf("job")).Ok);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Heartbeats_come_at_a_third_of_the_lease(bool extended)
    {
        broker.Extended = extended;
        broker.Add("job", "sleep 300");
        await using var worker = new RunningWorker(broker);
        var path = extended ? "jobs/heartbeat" : "jobs/L1-job/heartbeat";

        await Eventually.True(() => broker.To(path).Count() >= 4, "four heartbeats");

        var times = broker.To(path).Take(4).Select(r => r.At).ToList();
        // A third of one second; the upper end leaves room for a busy machine.
        Assert.InRange(Stopwatch.GetElapsedTime(times[0], times[3]).TotalSeconds, 0.9, 1.8);
    }

    [Fact]
    public async Task One_heartbeat_serves_all_jobs()
    {
        for (var i = 0; i < 3; i++) broker.Add($"job{i}", "sleep 300");
        await using var worker = new RunningWorker(broker, o => o with { Slots = 3 });

        await Eventually.True(
            () => broker.To("jobs/heartbeat").Any(r => r.Body is var b && b.Contains("L1-", StringComparison.Ordinal) && b.Contains("L3-", StringComparison.Ordinal)),
            "a heartbeat for three leases");
    }
}
