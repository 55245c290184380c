using System.Globalization;

namespace Broker.Worker.Tests;

/// <summary>End of a job's processes and files, tested on the built program.</summary>
public sealed class WorkerProcessTests : IDisposable
{
    private readonly FakeBroker broker = new();

    public void Dispose() => broker.Dispose();

    [Theory]
    [InlineData("setsid -f sleep 300")]
    [InlineData("env -i setsid -f sleep 300")]
    [InlineData("setsid sh -c 'trap \"\" TERM HUP; sleep 300' & sleep 0.2")]
    [InlineData("sh -c 'setsid sleep 300 </dev/null >/dev/null 2>&1 & exit' & wait; sleep 0.1")]
    public async Task A_process_in_a_session_of_its_own_ends_with_its_job(string leave)
    {
        var mark = Random.Shared.Next(100_000, 999_999).ToString(CultureInfo.InvariantCulture);
        broker.Add("job", leave.Replace("300", mark, StringComparison.Ordinal));
        await using var worker = new WorkerProgram(broker);

        Assert.True((await broker.ReportOf("job")).Ok);
        Assert.Empty(Sleeping(mark));
    }

    [Fact]
    public async Task A_process_that_another_job_left_in_a_session_of_its_own_stays()
    {
        var mark = Random.Shared.Next(100_000, 999_999).ToString(CultureInfo.InvariantCulture);
        broker.Add("long", $"setsid -f sleep {mark}; echo ready; sleep 300");
        await using var worker = new WorkerProgram(broker, ["--slots", "2"]);
        await Eventually.True(() => broker.Output("long").Contains("ready", StringComparison.Ordinal), "the long job to begin");

        broker.Add("short", "true");
        await broker.ReportOf("short");

        Assert.Single(Sleeping(mark));
        await worker.DisposeAsync();
        Assert.Empty(Sleeping(mark));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(15)]
    public async Task Every_ending_signal_drains(int signal)
    {
        broker.Add("job", "echo $$; sleep 300");
        await using var worker = new WorkerProgram(broker);
        var pid = await broker.PidPrintedBy("job");

        worker.Signal(signal);

        Assert.Equal(0, await worker.EndAsync());
        Assert.True(broker.Released.ContainsKey("job"));
        Assert.False(Eventually.IsRunning(pid));
    }

    [Fact]
    public async Task A_stopped_command_does_not_go_on_with_its_next_line()
    {
        for (var i = 0; i < 24; i++) broker.Add($"job{i}", "echo begun; sleep 300; echo went on");
        await using var worker = new WorkerProgram(broker, ["--slots", "8"]);

        for (var i = 0; i < 24; i++)
        {
            var job = $"job{i}";
            await Eventually.True(() => broker.Output(job).Length > 0, $"{job} to begin");
            broker.Cancelled[job] = true;
        }

        for (var i = 0; i < 24; i++)
        {
            Assert.Equal("cancelled", (await broker.ReportOf($"job{i}")).Error);
            Assert.Equal("begun\n", broker.Output($"job{i}"));
        }
    }

    [Fact]
    public async Task A_worker_started_with_nohup_survives_its_terminal()
    {
        broker.Add("job", "echo $$; sleep 300");
        await using var worker = new WorkerProgram(broker, wrapper: "nohup");
        await broker.PidPrintedBy("job");

        worker.Signal(1);
        broker.Cancelled["job"] = true;

        Assert.Equal("cancelled", (await broker.ReportOf("job")).Error);
        Assert.False(worker.Process.HasExited);
    }

    [Fact]
    public async Task A_killed_worker_takes_all_processes_of_its_jobs_along()
    {
        var mark = Random.Shared.Next(100_000, 999_999).ToString(CultureInfo.InvariantCulture);
        broker.Add("job", $"setsid sh -c 'trap \"\" TERM HUP; sleep {mark}' & echo $$; sleep {mark}; echo went on");
        await using var worker = new WorkerProgram(broker);
        var pid = await broker.PidPrintedBy("job");

        worker.Process.Kill();

        await Eventually.Gone(pid);
        await Eventually.True(() => Sleeping(mark).Count == 0, "the commands to end");
    }

    [Theory]
    [InlineData("mkfifo $BROKER_OUTPUT")]
    [InlineData("mkdir $BROKER_OUTPUT")]
    [InlineData("ln -s /dev/zero $BROKER_OUTPUT")]
    [InlineData("ln -s /etc/hostname $BROKER_OUTPUT")]
    [InlineData("ln -s $BROKER_OUTPUT $BROKER_OUTPUT")]
    [InlineData("head -c 3000000 /dev/zero >$BROKER_OUTPUT")]
    [InlineData("truncate -s 100G $BROKER_OUTPUT")]
    public async Task An_output_file_that_is_none_fails_the_job(string replace)
    {
        broker.Add("job", $"rm $BROKER_OUTPUT; {replace}");
        await using var worker = new WorkerProgram(broker);

        Assert.StartsWith("the output file ", (await broker.ReportOf("job")).Error, StringComparison.Ordinal);
        worker.Signal(Libc.SigTerm);
        Assert.Equal(0, await worker.EndAsync());
    }

    [Fact]
    public async Task A_job_that_replaces_the_files_of_its_script_still_reports_its_own_failure()
    {
        broker.AddSteps("job", (null, "d=$(dirname $BROKER_OUTPUT); rm $BROKER_UPSTREAM $d/step; mkfifo $BROKER_UPSTREAM; ln -s /dev/zero $d/step; exit 4"));
        await using var worker = new WorkerProgram(broker);

        Assert.StartsWith("exit code 4: step \"step 1\": ", (await broker.ReportOf("job")).Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sleep 300 &")]
    [InlineData("setsid -f sleep 300;")]
    [InlineData("setsid sh -c 'while :; do echo tick; sleep 0.1; done' &")]
    [InlineData("yes &")]
    public async Task The_last_line_arrives_although_a_process_left_behind_holds_the_pipe(string leave)
    {
        broker.Add("job", $"{leave} printf unterminated >&2; exit 3");
        await using var worker = new WorkerProgram(broker);

        var report = await broker.ReportOf("job");

        Assert.StartsWith("exit code 3: ", report.Error, StringComparison.Ordinal);
        Assert.Contains("unterminated", broker.Output("job"), StringComparison.Ordinal);
        if (!leave.StartsWith("yes", StringComparison.Ordinal)) Assert.Contains("unterminated", report.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Output_of_the_two_seconds_after_the_command_is_kept()
    {
        broker.Add("job", "(sleep 0.7; echo late) & echo first");
        await using var worker = new WorkerProgram(broker);

        Assert.True((await broker.ReportOf("job")).Ok);
        Assert.Equal("first\nlate\n", broker.Output("job"));
    }

    [Fact]
    public async Task Jobs_that_leave_processes_behind_cost_no_descriptors_and_no_threads()
    {
        await using var worker = new WorkerProgram(broker);
        await RunLeaving("warm-up");
        var files = Count("fd");
        var threads = Count("task");

        for (var i = 0; i < 4; i++) await RunLeaving($"job{i}");

        await Eventually.True(() => Count("fd") <= files + 2 && Count("task") <= threads + 2, $"{files} descriptors and {threads} threads, now {Count("fd")} and {Count("task")}");

        async Task RunLeaving(string job)
        {
            broker.Add(job, "setsid -f sleep 300; sleep 300 & echo left");
            Assert.True((await broker.ReportOf(job)).Ok);
        }

        // The runtime opens its own assemblies as it comes to them.
        int Count(string what) => new DirectoryInfo($"/proc/{worker.Process.Id}/{what}").EnumerateFileSystemInfos()
            .Count(entry => entry.LinkTarget?.EndsWith(".dll", StringComparison.Ordinal) is not true);
    }

    [Fact]
    public async Task A_job_is_ended_by_a_broken_pipe()
    {
        broker.Add("job", "(yes; echo $? >&2) | head -1");
        await using var worker = new WorkerProgram(broker);

        Assert.True((await broker.ReportOf("job")).Ok);
        Assert.Contains("141\n", broker.Output("job"), StringComparison.Ordinal);
    }

    private static IReadOnlyList<string> Sleeping(string mark) =>
        [.. Directory.EnumerateDirectories("/proc").Where(folder => char.IsAsciiDigit(Path.GetFileName(folder)[0])).Where(folder =>
        {
            try
            {
                return File.ReadAllText(folder + "/cmdline") == $"sleep\0{mark}\0";
            }
            catch (IOException)
            {
                return false;
            }
        })];
}
