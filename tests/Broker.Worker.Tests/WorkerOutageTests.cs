using System.Net;

namespace Broker.Worker.Tests;

/// <summary>Brokers that are late, away, restarted or without the extensions.</summary>
public sealed class WorkerOutageTests : IDisposable
{
    private FakeBroker broker = new();

    public void Dispose() => broker.Dispose();

    [Fact]
    public async Task A_worker_may_start_before_its_broker()
    {
        broker.Dispose();
        broker = new FakeBroker(start: false);
        broker.Add("job", "true");
        await using var worker = new RunningWorker(broker);
        await worker.Logged("no work to be had, trying again");

        broker.Start();

        Assert.True((await broker.ReportOf("job")).Ok);
        Assert.Equal("""{"worker_id":"w","labels":[]}""", broker.To("workers/register").First().Body);
    }

    [Theory]
    [InlineData(HttpStatusCode.ServiceUnavailable)]
    [InlineData(HttpStatusCode.NotFound)]
    [InlineData(HttpStatusCode.Unauthorized)]
    public async Task A_report_is_sent_until_a_broker_in_trouble_takes_it(HttpStatusCode trouble)
    {
        broker.Add("job", "echo $BROKER_OUTPUT; while [ ! -e $BROKER_OUTPUT.go ]; do sleep 0.02; done");
        await using var worker = new RunningWorker(broker, o => o with { LeaseTtlSecs = 30 });
        await Eventually.True(() => broker.Output("job").Length > 0, "the job to begin");

        broker.Down = trouble;
        broker.Add("next", "true");
        File.WriteAllText(broker.Output("job").TrimEnd() + ".go", "");
        await worker.Logged("reports not taken, trying again");
        broker.Down = null;

        Assert.True((await broker.ReportOf("job")).Ok);
        Assert.True((await broker.ReportOf("next")).Ok);
        await worker.Logged("succeeded: wf/job attempt 0");
    }

    [Fact]
    public async Task A_restart_of_the_broker_loses_neither_lines_nor_result()
    {
        broker.Add("job", "echo before; sleep 0.5; echo after");
        await using var worker = new RunningWorker(broker, o => o with { LeaseTtlSecs = 30 });
        await Eventually.True(() => broker.Output("job").Length > 0, "the job to begin");

        broker.Stop();
        await worker.Logged("logs not taken, trying again");
        broker.Start();

        Assert.True((await broker.ReportOf("job")).Ok);
        Assert.Equal("before\nafter\n", broker.Output("job"));
        Assert.Equal([0, 1], broker.Logs.Select(c => (int)c["sequence"]!));
    }

    [Fact]
    public async Task A_report_is_given_up_when_the_lease_is_surely_gone()
    {
        broker.Add("job", "echo $$; sleep 0.2");
        await using var worker = new RunningWorker(broker, timings: t => t with { ReportLimit = TimeSpan.FromMilliseconds(300) });
        await broker.PidPrintedBy("job");

        broker.Down = HttpStatusCode.ServiceUnavailable;
        await worker.Logged("report given up, broker away for too long: wf/job");
        broker.Down = null;
        broker.Add("next", "true");

        Assert.True((await broker.ReportOf("next")).Ok);
        Assert.False(broker.Reports.ContainsKey("job"));
    }

    [Fact]
    public async Task A_broker_without_the_extensions_is_served_one_lease_at_a_time()
    {
        broker.Extended = false;
        broker.Add("good", "echo a=1 > $BROKER_OUTPUT");
        broker.Add("bad", "exit 4");
        await using var worker = new RunningWorker(broker, o => o with { Slots = 2 });

        Assert.Equal("1", (string?)(await broker.ReportOf("good")).Outputs!["a"]);
        Assert.Equal("exit code 4: ", (await broker.ReportOf("bad")).Error);
        broker.Add("later", "true");
        Assert.True((await broker.ReportOf("later")).Ok);

        Assert.NotEmpty(broker.To("jobs/L1-good/complete"));
        Assert.Contains(broker.Requests, r => r.Path.EndsWith("-bad/fail", StringComparison.Ordinal) && r.Body == """{"error":"exit code 4: ","retryable":true}""");
        Assert.InRange(broker.To("jobs/complete").Count(), 1, 2);
    }
}
