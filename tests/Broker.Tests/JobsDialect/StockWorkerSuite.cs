using Broker.Testing;
using Xunit;

namespace Broker.Tests.JobsDialect;

/// <summary>Workers as they are deployed, against the broker: jobs contract 8 and the acceptance steps of 12.</summary>
public abstract class StockWorkerSuite(IJobsBroker broker) : JobsSuite(broker)
{
    [Fact]
    public async Task Workers_run_a_pipeline_of_eight_jobs_and_data_flows()
    {
        var id = await RunningAsync(
            Shell("unit", "echo ::set-output coverage=94%"), Shell("lint", "echo lint >&2"), Shell("types", "true"), Shell("build", "echo built", "unit lint types"),
            Shell("db", "true", "build"), Shell("e2e", "true", "build"), Shell("preview", "true", "build"), Shell("web", "true", "db"));

        await WithWorkersAsync(3, () => Eventually.TrueAsync(async () => !(await StatusesAsync(id)).Contains("queued", StringComparison.Ordinal)
            && !(await StatusesAsync(id)).Contains("running", StringComparison.Ordinal)));

        Assert.Equal("unit=success lint=success types=success build=success db=success e2e=success preview=success web=success", await StatusesAsync(id));
        var log = (await GetAsync($"/api/workflows/{id}/jobs/lint/logs")).Json!.AsArray();
        Assert.Equal(("lint\n", "stderr"), ((string)log[0]!["data"]!, (string)log[0]!["stream"]!));
    }

    [Fact]
    public async Task A_failing_job_is_tried_as_often_as_it_may_be()
    {
        var id = await RunningAsync(Shell("flaky", "echo no >&2; exit 3", retries: 2), Shell("after", "true", "flaky"));

        await WithWorkersAsync(1, () => Eventually.TrueAsync(async () => (await StatusesAsync(id)) == "flaky=failure after=skipped"));

        Assert.Equal(("exit code 3: no\n", 2), ((string)(await JobAsync(id, "flaky"))["output"]!, (int)(await JobAsync(id, "flaky"))["attempt"]!));
        Assert.Equal(3, (await GetAsync($"/api/workflows/{id}/jobs/flaky/logs")).Json!.AsArray().Count);
    }

    [Fact]
    public async Task Cancelling_stops_the_shell_and_nothing_below_runs()
    {
        var id = await RunningAsync(Shell("long", "sleep 60", retries: 2), Shell("after", "true", "long"));

        await WithWorkersAsync(1, async () =>
        {
            await Eventually.TrueAsync(async () => (await StatusesAsync(id)) == "long=running after=queued");
            await CancelAsync(id);

            // The worker is free again only after it has killed its shell and reported.
            var next = await RunningAsync(Shell("next", "true"));
            await Eventually.TrueAsync(async () => (await StatusesAsync(next)) == "next=success");
        });

        Assert.Equal("long=cancelled after=cancelled", await StatusesAsync(id));
    }

    private string Shell(string id, string command, string needs = "", int retries = 0) =>
        Job(id, needs, retries).Replace($"\"make {id}\"", System.Text.Json.JsonSerializer.Serialize(command), StringComparison.Ordinal);

    private async Task WithWorkersAsync(int count, Func<Task> act)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var working = Enumerable.Range(0, count).Select(_ => new StockWorker(Broker.Http, Label).RunAsync(stop.Token)).ToList();
        try
        {
            await act();
        }
        finally
        {
            await stop.CancelAsync();

            // A worker that is stopped between two requests ends by itself; any other end fails the test.
            foreach (var worker in working)
            {
                try
                {
                    await worker;
                }
                catch (OperationCanceledException)
                {
                    Assert.True(stop.IsCancellationRequested);
                }
            }
        }
    }
}
