using System.Text.Json.Nodes;

namespace Broker.Worker.Tests;

/// <summary>Environment and reports of one job (jobs contract 2, 4, 5, 8.1).</summary>
public sealed class WorkerJobTests : IDisposable
{
    private readonly FakeBroker broker = new();

    public void Dispose() => broker.Dispose();

    private async Task<Report> Run(string command, string upstream = "{}", int attempt = 0)
    {
        broker.Add("job", command, upstream, attempt);
        await using var worker = new RunningWorker(broker);
        return await broker.ReportOf("job");
    }

    [Fact]
    public async Task A_job_that_succeeds_reports_the_outputs_it_wrote()
    {
        var report = await Run("""printf 'version=7.1\nnotes<<EOF\none\ntwo\nEOF\n' >> "$BROKER_OUTPUT" """);

        Assert.True(report.Ok);
        Assert.Equal("""{"version":"7.1","notes":"one\ntwo"}""", report.Outputs!.ToJsonString());
    }

    [Fact]
    public async Task A_job_finds_its_upstream_outputs_and_its_ids()
    {
        const string upstream = """{"compile":{"version":"7.1 ü"},"check":{}}""";

        var report = await Run("""cat "$BROKER_UPSTREAM"; echo; echo "$BROKER_WORKFLOW/$BROKER_JOB/$BROKER_ATTEMPT" """, upstream, attempt: 2);

        Assert.True(report.Ok);
        var lines = broker.Output("job").Split('\n');
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(upstream), JsonNode.Parse(lines[0])));
        Assert.Equal("wf/job/2", lines[1]);
    }

    [Fact]
    public async Task A_job_finds_the_inputs_of_its_run()
    {
        const string inputs = """{"dry run":false,"tag":"it's $HOME\nü","n":1.0,"list":[1, {"a":null}],"none":null}""";
        broker.Add("job", """
            printf '%s|' "$INPUT_DRY_RUN" "$INPUT_TAG" "$INPUT_N" "$INPUT_LIST" "${INPUT_NONE-unset}" "$BROKER_RUN" "$BROKER_INSTANCE"; echo; cat "$BROKER_INPUTS"
            """, inputs: inputs);
        await using var worker = new RunningWorker(broker);

        Assert.True((await broker.ReportOf("job")).Ok);
        var lines = broker.Output("job").Split('\n');
        Assert.Equal(("false|it's $HOME", "ü|1.0|[1,{\"a\":null}]||3|nightly|"), (lines[0], lines[1]));
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(inputs), JsonNode.Parse(lines[2])));
    }

    [Fact]
    public async Task A_job_of_a_broker_without_inputs_finds_none()
    {
        await Run("""echo "$(env | grep -c -e ^INPUT_ -e ^BROKER_RUN= -e ^BROKER_INSTANCE=) $(cat "$BROKER_INPUTS")" """);
        Assert.Equal("0 {}\n", broker.Output("job"));
    }

    [Theory]
    [InlineData("echo '## Done' >> \"$BROKER_SUMMARY\"", "## Done\n")]
    [InlineData("printf 'a\\377b' >> \"$BROKER_SUMMARY\"; exit 3", "a\ufffdb")]
    [InlineData("echo > \"$BROKER_SUMMARY\"", null)]
    [InlineData("rm \"$BROKER_SUMMARY\"", null)]
    public async Task The_summary_goes_out_with_the_report(string command, string? summary) => Assert.Equal(summary, (await Run(command)).Summary);

    [Theory]
    [InlineData("head -c 1048577 /dev/zero | tr '\\0' x > \"$BROKER_SUMMARY\"", "the summary file has more than 1048576 bytes; it is not kept")]
    [InlineData("ln -sf /etc/hostname \"$BROKER_SUMMARY\"", "the summary file is a link; a regular file is expected; it is not kept")]
    public async Task A_summary_that_cannot_be_kept_is_a_line_of_the_log(string command, string line)
    {
        var report = await Run(command);

        Assert.True(report.Ok);
        Assert.Null(report.Summary);
        Assert.Equal($"{line}\n", broker.Output("job"));
    }

    [Fact]
    public async Task A_summary_that_the_broker_refuses_does_not_cost_the_report()
    {
        broker.RefuseSummaries = System.Net.HttpStatusCode.UnprocessableEntity;

        var report = await Run("echo v=1 > \"$BROKER_OUTPUT\"; echo no > \"$BROKER_SUMMARY\"");

        Assert.True(report.Ok);
        Assert.Equal("""{"v":"1"}""", report.Outputs!.ToJsonString());
    }

    [Theory]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
    [InlineData(null)]
    public async Task A_job_finds_the_trace_of_its_run_and_no_other(string? traceparent)
    {
        broker.Add("job", "echo \"trace:$TRACEPARENT\"", traceparent: traceparent);
        await using var worker = new RunningWorker(broker);
        await broker.ReportOf("job");

        Assert.Equal($"trace:{traceparent}\n", broker.Output("job"));
    }

    [Fact]
    public async Task Output_is_pushed_before_the_report_one_line_a_chunk()
    {
        await Run("echo one; echo two >&2; printf three");

        Assert.Equal(["one\n", "three", "two\n"], broker.Logs.Select(c => (string)c["data"]!).Order());
        Assert.Equal([0, 1, 2], broker.Logs.Select(c => (int)c["sequence"]!));
        Assert.Equal("stderr", (string?)broker.Logs.Single(c => (string?)c["data"] == "two\n")["stream"]);
        var order = broker.Requests.Select(r => r.Path).ToList();
        Assert.InRange(order.FindLastIndex(p => p.EndsWith("/logs", StringComparison.Ordinal)), 0, order.IndexOf("jobs/complete"));
    }

    [Fact]
    public async Task A_failure_reports_the_exit_code_and_the_first_4096_characters()
    {
        var report = await Run("echo broken; head -c 9000 /dev/zero | tr '\\0' x; exit 3");

        Assert.Equal((false, true), (report.Ok, report.Retryable));
        Assert.StartsWith("exit code 3: broken\nxxx", report.Error, StringComparison.Ordinal);
        Assert.Equal("exit code 3: ".Length + 4096, report.Error!.Length);
    }

    [Theory]
    [InlineData("kill -9 $$", "exit code 137: ")]
    [InlineData("kill -TERM $$", "exit code 143: ")]
    public async Task A_death_by_signal_is_a_failure_too(string command, string error) => Assert.Equal(error, (await Run(command)).Error);

    [Theory]
    [InlineData("echo a\0b", "the command holds a NUL")]
    [InlineData("echo 'a<<EOF' > $BROKER_OUTPUT", "output file, line 1: no line EOF")]
    [InlineData("rm $BROKER_OUTPUT; ln -s /proc/self/mem $BROKER_OUTPUT", "the output file is a link")]
    public async Task A_command_or_output_file_that_cannot_be_used_fails_the_job_with_the_reason(string command, string error)
    {
        var report = await Run(command);

        Assert.StartsWith(error, report.Error, StringComparison.Ordinal);
        Assert.True(report.Retryable);
    }

    [Theory]
    [InlineData(140_000)]
    [InlineData(3_000_000)]
    public async Task A_command_longer_than_an_argument_may_be_runs(int length)
    {
        Assert.True((await Run("echo ran # " + new string('x', length))).Ok);

        Assert.Equal("ran\n", broker.Output("job"));
    }

    [Fact]
    public async Task Standard_input_is_empty() => Assert.True((await Run("test -z \"$(cat)\"")).Ok);

    [Fact]
    public async Task Processes_that_a_job_leaves_behind_end_with_it()
    {
        Assert.True((await Run("sleep 300 & echo $!")).Ok);

        await Eventually.Gone(await broker.PidPrintedBy("job"));
    }

    [Fact]
    public async Task The_folder_of_a_job_goes_away()
    {
        await Run("dirname $BROKER_OUTPUT");

        var folder = broker.Output("job").TrimEnd();
        Assert.StartsWith(Path.GetTempPath(), folder, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public async Task A_flood_of_output_arrives_complete_and_in_order()
    {
        Assert.True((await Run("seq 1 50000")).Ok);

        Assert.Equal(string.Concat(Enumerable.Range(1, 50000).Select(i => $"{i}\n")), broker.Output("job"));
    }

    [Fact]
    public async Task Outputs_that_the_broker_refuses_fail_the_job_with_that_reason()
    {
        broker.RefuseOutputs = System.Net.HttpStatusCode.RequestEntityTooLarge;

        var report = await Run("echo a=1 > $BROKER_OUTPUT");

        Assert.Contains("413", report.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_key_is_sent_with_every_request_and_never_printed()
    {
        broker.Add("job", "env; echo command-secret=1 > $BROKER_OUTPUT");
        Environment.SetEnvironmentVariable("BROKER_API_KEY", "s3cret");
        string log;
        await using (var worker = new RunningWorker(broker, o => o with { ApiKey = "s3cret" }))
        {
            await broker.ReportOf("job");
            await worker.StopAsync();
            log = worker.Log;
        }

        Assert.All(broker.Requests, r => Assert.Equal("Bearer s3cret", r.Authorization));
        Assert.Contains("BROKER_JOB=job", broker.Output("job"), StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", broker.Output("job"), StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", log, StringComparison.Ordinal);
        Assert.DoesNotContain("command-secret", log, StringComparison.Ordinal);
    }
}
