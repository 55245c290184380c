using System.Diagnostics;

namespace Broker.Worker.Tests;

/// <summary>Secrets of the worker that a job must not reach, tested on the built program.</summary>
public sealed class WorkerSecretTests : IDisposable
{
    private const string Key = "brk_w0rker_s3cret";

    private readonly FakeBroker broker = new();
    private readonly string folder = Directory.CreateTempSubdirectory("worker-test-").FullName;

    public void Dispose()
    {
        broker.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    // Written in halves: the command itself must not contain the searched text.
    private const string Search = """
        p=$PPID; found=
        for f in environ cmdline; do tr '\0' '\n' <"/proc/$p/$f" | grep -q 'brk_w0rker''_s3cret' && found="$found $f"; done
        env | grep -q 'brk_w0rker''_s3cret' && found="$found env"
        for fd in 3 4 5 6 7 8 9 10 11 12; do [ "$(timeout 0.2 head -c 99 "/proc/self/fd/$fd" 2>/dev/null </dev/null)" = 'brk_w0rker''_s3cret' ] && found="$found $fd"; done
        ls "${TMPDIR:-/tmp}"/dotnet-diagnostic-$p-* "${TMPDIR:-/tmp}"/clr-debug-pipe-$p-* >/dev/null 2>&1 && found="$found port"
        echo "found:$found"
        """;

    [Theory]
    [InlineData("variable")]
    [InlineData("argument")]
    [InlineData("joined argument")]
    [InlineData("file")]
    [InlineData("file variable")]
    [InlineData("file and variable")]
    [InlineData("descriptor")]
    public async Task A_job_finds_the_key_nowhere(string source)
    {
        var file = Path.Combine(folder, "key");
        await File.WriteAllTextAsync(file, Key + "\n", TestContext.Current.CancellationToken);
        string[] args = source switch
        {
            "argument" => ["--api-key", Key],
            "joined argument" => [$"--api-key={Key}"],
            "file" or "file and variable" => ["--api-key-file", file],
            _ => [],
        };
        (string, string?)[] environment = source switch
        {
            "variable" => [("BROKER_API_KEY", Key)],
            "file and variable" => [("BROKER_API_KEY", "brk_another")],
            "file variable" => [("BROKER_API_KEY_FILE", file)],
            _ => [],
        };
        broker.Add("job", Search);
        await using var worker = source == "descriptor"
            ? new WorkerProgram(broker, ["--inherit-env", "*", "--api-key-fd", "5"], wrapper: "sh " + Script($"exec \"$@\" 5<{file}"))
            : new WorkerProgram(broker, ["--inherit-env", "*", .. args], environment);

        Assert.True((await broker.ReportOf("job")).Ok);
        Assert.Equal("found:\n", broker.Output("job"));
        Assert.All(broker.Requests, r => Assert.Equal($"Bearer {Key}", r.Authorization));
        Assert.DoesNotContain(Key, worker.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_of_a_worker_without_root_cannot_read_its_memory()
    {
        Assert.SkipUnless(Environment.UserName == "root", "only root can start a worker as another user");
        broker.Add("job", "id -u; cat /proc/$PPID/environ >/dev/null 2>&1 && echo environ; head -c 1 /proc/$PPID/mem 2>&1 | grep -o 'Permission denied'");
        await using var worker = new WorkerProgram(
            broker, environment: [("BROKER_API_KEY", Key), ("HOME", "/tmp")], wrapper: "setpriv --reuid 65534 --regid 65534 --clear-groups");

        await broker.ReportOf("job");
        Assert.Equal("65534\nPermission denied\n", broker.Output("job"));
    }

    [Fact]
    public async Task A_job_inherits_the_variables_on_the_list()
    {
        broker.Add("job", "echo \"$HOME|$LC_CTYPE|$SECRET_OF_THE_SHELL|$GIVEN|$GROUP_A|$BROKER_API_KEY\"");
        await using var worker = new WorkerProgram(
            broker, ["--inherit-env", "GIVEN,GROUP_*,BROKER_API_KEY"],
            [("HOME", "/home/x"), ("LC_CTYPE", "C"), ("SECRET_OF_THE_SHELL", "no"), ("GIVEN", "given"), ("GROUP_A", "a"), ("BROKER_API_KEY", Key)]);

        Assert.True((await broker.ReportOf("job")).Ok);
        Assert.Equal("/home/x|C||given|a|\n", broker.Output("job"));
    }

    [Fact]
    public async Task Masked_values_are_in_no_log_line_and_no_error()
    {
        broker.Add("job", """
            echo "one $TOKEN two"; printf 'hun'; sleep 0.3; printf 'ter2x\n'; echo "$PEM" >&2; echo second-line-of-the-key
            head -c 16380 /dev/zero | tr '\0' 'y'; echo "$TOKEN"; echo hunter; echo "own $OWN"; exit 1
            """, env: new() { ["OWN"] = "own-secret" });
        await using var worker = new WorkerProgram(
            broker, ["--inherit-env", "TOKEN,PEM", "--mask-env", "TOKEN,PEM,OWN"], [("TOKEN", "hunter2x"), ("PEM", "first-line-of-the-key\nsecond-line-of-the-key\n")]);

        var error = (await broker.ReportOf("job")).Error!;
        var log = broker.Output("job");
        Assert.Contains("one *** two\n", log, StringComparison.Ordinal);
        Assert.Contains("hunter\n", log, StringComparison.Ordinal);
        Assert.Contains("own ***\n", log, StringComparison.Ordinal);
        Assert.All(["hunter2x", "line-of-the-key", "own-secret"], secret => Assert.DoesNotContain(secret, log + error, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_job_may_run_as_another_user()
    {
        Assert.SkipUnless(Environment.UserName == "root", "only root can start processes as another user");
        var password = (await File.ReadAllLinesAsync("/etc/passwd", TestContext.Current.CancellationToken)).First(l => l.StartsWith("nobody:", StringComparison.Ordinal));
        var nobody = password.Split(':');
        broker.Add("job", "id -u; echo $HOME $USER; cat /proc/$PPID/environ 2>/dev/null && echo readable; cat $BROKER_UPSTREAM; mkdir -p $(dirname $BROKER_OUTPUT)/a/b; echo a=1 >$BROKER_OUTPUT.new; mv $BROKER_OUTPUT.new $BROKER_OUTPUT; dirname $(dirname $BROKER_OUTPUT)");
        broker.AddSteps("steps", (null, "id -u"), (null, "exit 5"));
        broker.Add("thief", "rm $BROKER_OUTPUT; ln -s /etc/shadow $BROKER_OUTPUT");
        await using var worker = new WorkerProgram(broker, ["--run-as", "nobody"], [("BROKER_API_KEY", Key), ("TMPDIR", null)]);

        var report = await broker.ReportOf("job");
        Assert.True(report.Ok, report.Error);
        Assert.Equal("1", (string?)report.Outputs!["a"]);
        var lines = broker.Output("job").Split('\n');
        Assert.Equal([nobody[2], $"{nobody[5]} nobody"], lines[..2]);
        Assert.DoesNotContain("readable", lines);
        Assert.StartsWith("exit code 5: step \"step 2\": ", (await broker.ReportOf("steps")).Error, StringComparison.Ordinal);
        Assert.Equal("the output file is a link; a regular file is expected", (await broker.ReportOf("thief")).Error);
        await Eventually.True(() => !Directory.Exists(lines[^2]), "the folder of the job to go");
    }

    [Fact]
    public void Wrong_options_end_the_program_with_a_message_and_without_the_key()
    {
        foreach (var args in new[] { ["--run-as", "no-such-user"], ["--api-key-file", folder], ["--api-key-file", "/dev/zero"], new[] { "--api-kay", Key } })
        {
            var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "broker-worker.dll"), .. args]) { RedirectStandardError = true };
            using var process = Process.Start(start)!;
            var error = process.StandardError.ReadToEnd();
            process.WaitForExit();

            Assert.Equal(2, process.ExitCode);
            Assert.StartsWith("broker-worker: ", error, StringComparison.Ordinal);
            Assert.DoesNotContain(Key, error, StringComparison.Ordinal);
        }
    }

    private string Script(string text)
    {
        var path = Path.Combine(folder, "start.sh");
        File.WriteAllText(path, text + "\n");
        return path;
    }
}
