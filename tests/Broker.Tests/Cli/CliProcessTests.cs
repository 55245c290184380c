using System.Globalization;
using Broker.Cli;
using Broker.Testing;
using Broker.Tests.App;
using Broker.Tests.Auth;
using Broker.Tests.Documents;
using Xunit;

namespace Broker.Tests.Cli;

/// <summary>The command line as a program: profiles, keys, signals, the output in CI, and <c>broker dev</c>.</summary>
public sealed class CliProcessTests : IDisposable
{
    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(60);

    private readonly TempFolder folder = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_profile_has_its_key_in_an_own_file_and_sends_it_to_its_own_broker_alone()
    {
        await using var broker = await OwnBroker.StartAsync(TestKeys.Settings);
        Assert.Equal(6, (await RunAsync([], "runs", "list", "--server", broker.Address.ToString())).Code);
        Assert.Equal(0, (await RunAsync([], "profile", "set", "work", "--server", broker.Address.ToString())).Code);
        var login = await ShellAsync($"printf '%s\\n' '{TestKeys.Of("reader")}' | {Program} profile login work");
        Assert.Equal((0, ""), login);

        var key = Path.Combine(folder.Path, "broker", "keys", "work");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(key));
        Assert.Equal((0, ""), Shown(await RunAsync([], "runs", "list", "-o", "name")));
        var listed = await RunAsync([], "profile", "list");
        Assert.Equal((0, $"* work  {broker.Address}  key file\n"), Shown(listed));

        // The same profile, another address: no key goes there.
        await using var other = await OwnBroker.StartAsync(TestKeys.Settings);
        Assert.Equal(6, (await RunAsync([], "runs", "list", "--server", other.Address.ToString())).Code);
        Assert.Equal(0, (await RunAsync([], "runs", "list", "--server", broker.Address.ToString())).Code);
        Assert.Equal(6, (await RunAsync(new() { ["BROKER_SERVER"] = other.Address.ToString() }, "runs", "list")).Code);
        Assert.Equal(6, (await RunAsync(new() { ["BROKER_API_KEY"] = "brk_no_key" }, "runs", "list")).Code);

        Assert.Equal(0, (await RunAsync([], "profile", "set", "work", "--key-command", $"cat {key}")).Code);
        Assert.Equal(0, (await RunAsync([], "runs", "list")).Code);
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        Assert.Equal(0, (await RunAsync([], "profile", "set", "work", "--api-key-file", key)).Code);
        var open = await RunAsync([], "runs", "list");
        Assert.Equal(2, open.Code);
        Assert.Contains("other users may read", open.Output, StringComparison.Ordinal);
        Assert.Equal(2, (await RunAsync([], "profile", "use", "none")).Code);
        foreach (var call in (string[])[listed.Output, open.Output, login.Output]) Assert.DoesNotContain("sss", call, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failed_run_in_CI_has_its_lines_in_a_group_and_an_error_beside_it()
    {
        await using var broker = await OwnBroker.StartAsync();
        using var http = new HttpClient { BaseAddress = broker.Address };
        var wire = new BrokerDialect.Wire(http);
        var worker = await wire.RegisterAsync("""{"workflow_id":"w","version":"1","steps":{"a":{}}}""");
        await wire.PostAsync("/api/v1/workflows/w/runs", """{"instance":"i"}""");
        await wire.ReportAsync(worker, await wire.MustClaimAsync(worker), "FAILED", """{"name":"E","message":"50% of, it","retryable":false}""", ""","logs":[{"level":"info","message":"one"}]""");
        await wire.RegisterAsync("""{"workflow_id":"x","version":"1","steps":{"a":{}}}""");

        // The run goes on until a worker fails it, so the command watches a further run of the instance.
        var watch = Task.Run(() => RunAsync(new() { ["GITHUB_ACTIONS"] = "true" }, "run", "w", "--id", "j", "--watch", "--server", broker.Address.ToString()), Ct);
        var step = await wire.MustClaimAsync(worker, "&wait=60");
        await wire.ReportAsync(worker, step, "FAILED", """{"name":"E","message":"50% of, it","retryable":false}""", ""","logs":[{"level":"info","message":"one"}]""");
        var (code, output) = await watch.WaitAsync(WaitLimit, Ct);
        Assert.Equal(1, code);
        Assert.Contains("::group::a: the last 1 lines\none\n::endgroup::\n::error title=a::50%25 of, it\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_interrupt_ends_a_watch_with_130_and_leaves_the_run_or_cancels_it()
    {
        await using var broker = await OwnBroker.StartAsync();
        using var http = new HttpClient { BaseAddress = broker.Address };
        var wire = new BrokerDialect.Wire(http);
        await wire.RegisterAsync("""{"workflow_id":"w","version":"1","steps":{"a":{}}}""");
        Assert.Equal("queued", await StatusAfterInterruptAsync("one"));
        Assert.Equal("cancelled", await StatusAfterInterruptAsync("two", "--cancel-on-interrupt"));

        async Task<string?> StatusAfterInterruptAsync(string id, params string[] more)
        {
            await using var watch = new ManagedProcess(RepositoryLayout.HostProgram(), new Dictionary<string, string> { ["XDG_CONFIG_HOME"] = folder.Path }, ["run", "w", "--id", id, "--watch", "--server", broker.Address.ToString(), .. more]);
            await watch.StartUntilAsync($"w/{id}.0");
            Assert.Equal(130, await watch.InterruptAsync(WaitLimit));
            return (await wire.GetAsync($"/api/v1/runs/w/{id}")).Json.GetProperty("status").GetString();
        }
    }

    [Fact]
    public async Task A_broker_for_development_runs_its_sample_and_leaves_nothing()
    {
        await using var dev = new ManagedProcess(RepositoryLayout.HostProgram(), new Dictionary<string, string> { ["PORT"] = "0", ["TMPDIR"] = folder.Path, ["BROKER_WORKER"] = RepositoryLayout.WorkerProgram() }, ["dev"]);
        var line = await dev.StartUntilAsync("Address     http");
        var address = line[line.IndexOf("http", StringComparison.Ordinal)..].Trim();
        Assert.NotEmpty(Directory.GetDirectories(folder.Path, "broker-dev-*"));
        using var http = new HttpClient { BaseAddress = new Uri(address) };
        var wire = new BrokerDialect.Wire(http);
        Assert.Equal(200, (await wire.SendAsync(HttpMethod.Put, "/api/v1/workflows/hello", """{"text":"name: h\non: push\njobs:\n  a:\n    runs-on: linux\n    steps:\n      - run: echo hello\n"}"""u8.ToArray())).Status);

        var (code, output) = await RunAsync([], "run", "hello", "--watch", "--logs", "--server", address);
        Assert.Equal(0, code);
        Assert.Contains("a  hello", output, StringComparison.Ordinal);
        Assert.Equal(0, await dev.InterruptAsync(WaitLimit));
        Assert.Empty(Directory.GetDirectories(folder.Path, "broker-dev-*"));
    }

    [Fact]
    public async Task The_script_for_bash_completes_a_command()
    {
        var script = $"""
            broker() {"{"} {Program} "$@"; {"}"}
            eval "$(broker completion bash)"
            COMP_LINE='broker runs ca' COMP_POINT=14 COMP_WORDS=(broker runs ca) COMP_CWORD=2
            _broker
            printf '%s\n' "{"${"}COMPREPLY[@]{"}"}"
            """;
        Assert.Equal((0, "cancel\n"), await ShellAsync(script));
        foreach (var shell in (string[])["zsh", "fish", "pwsh"]) Assert.Contains("[suggest:", (await RunAsync([], "completion", shell)).Output, StringComparison.Ordinal);
    }

    [Fact]
    public void The_table_of_exit_codes_is_that_of_the_program()
    {
        var page = new Page("docs/cli.md").Text;
        var table = page[page.IndexOf("## Exit codes", StringComparison.Ordinal)..].Split('\n').Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Skip(2)
            .Select(line => int.Parse(line.Split('|')[1], CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(
            [
                ExitCodes.Succeeded, ExitCodes.Failed, ExitCodes.Usage, ExitCodes.NotFound, ExitCodes.Cancelled, ExitCodes.StillRunning, ExitCodes.Refused, ExitCodes.Unreachable, ExitCodes.Conflict,
                ExitCodes.Interrupted,
            ],
            table);
    }

    private static string Program => $"dotnet '{RepositoryLayout.HostProgram()}'";

    private static (int Code, string Output) Shown((int Code, string Output) call) => call;

    private async Task<(int Code, string Output)> RunAsync(Dictionary<string, string> environment, params string[] words)
    {
        var variables = new Dictionary<string, string>(environment) { ["XDG_CONFIG_HOME"] = folder.Path };
        await using var process = new ManagedProcess(RepositoryLayout.HostProgram(), variables, words);
        process.Start();
        await process.OutputEnded.WaitAsync(WaitLimit, Ct);
        await Eventually.TrueAsync(() => process.HasExited, WaitLimit);
        return (process.ExitCode, string.Concat(process.Output.Select(line => line + "\n")));
    }

    private async Task<(int Code, string Output)> ShellAsync(string script)
    {
        var file = Path.Combine(folder.Path, $"{Guid.NewGuid():N}.sh");
        await File.WriteAllTextAsync(file, script, Ct);
        await using var process = new ManagedProcess("/bin/bash", new Dictionary<string, string> { ["XDG_CONFIG_HOME"] = folder.Path }, [file]);
        process.Start();
        await process.OutputEnded.WaitAsync(WaitLimit, Ct);
        await Eventually.TrueAsync(() => process.HasExited, WaitLimit);
        return (process.ExitCode, string.Concat(process.Output.Select(line => line + "\n")));
    }
}
