using System.Text.Json;
using Broker.Cli;
using Broker.Commands;
using Broker.Testing;
using Broker.Tests.App;
using Broker.Tests.JobsDialect;
using Xunit;

namespace Broker.Tests.Cli;

/// <summary>Commands that read runs and what they wait for, against a broker on a real port.</summary>
public abstract class CliSuite(BrokerApp app) : JobsSuite(app)
{
    [Fact]
    public async Task A_failed_run_is_found_shown_and_explained()
    {
        var label = Label;
        var id = await DefineAsync(Job("build"), Job("ship", "build"));
        Assert.Equal(202, (await PostAsync($"/api/workflows/{id}/run")).Status);

        var starved = await RunAsync("explain", $"{id}/{id}");
        Assert.Contains($"no_worker: No worker with the label {label} has ever been seen.", starved.Output, StringComparison.Ordinal);
        Assert.Contains(label, (await RunAsync("doctor", "--where", $"workflow={id}")).Output, StringComparison.Ordinal);
        Assert.Contains($"labels {label}", (await RunAsync("queues")).Output, StringComparison.Ordinal);

        var claimed = await PostAsync("/api/jobs/claim", $$"""{"worker_id":"{{label}}","labels":["{{label}}"]}""");
        var lease = claimed.Json!["lease"]!["lease_id"];
        await PostAsync($"/api/jobs/{lease}/logs", $$"""
            {"chunks":[{"workflow_id":"{{id}}","job_id":"build","sequence":0,"data":"one\n","timestamp_ms":1,"stream":"stdout"},
                       {"workflow_id":"{{id}}","job_id":"build","sequence":1,"data":"two\n","timestamp_ms":2,"stream":"stderr"}]}
            """);
        Assert.Equal(200, (await PostAsync($"/api/jobs/{lease}/fail", """{"error":"no space left","retryable":false}""")).Status);

        Assert.Equal((0, $"{id}/{id}.0\n"), Shown(await RunAsync("runs", "list", "--workflow", id, "--status", "failed", "-o", "name")));
        var table = (await RunAsync("runs", "list", "--workflow", id)).Output.Split('\n');
        Assert.StartsWith("RUN ", table[0], StringComparison.Ordinal);
        Assert.Contains("failed", table[1], StringComparison.Ordinal);
        Assert.Contains("build: no space left", table[1], StringComparison.Ordinal);
        var json = JsonElement.Parse((await RunAsync("runs", "list", "--workflow", id, "-o", "json")).Output);
        Assert.Equal("failed", json[0].GetProperty("status").GetString());

        var shown = (await RunAsync("runs", "show", $"{id}/{id}.0")).Output;
        Assert.Contains("error  build: Error: no space left", shown, StringComparison.Ordinal);
        Assert.Matches("ship +unreachable", shown);
        Assert.Equal((0, "build  one\nbuild  two\n"), Shown(await RunAsync("logs", $"{id}/{id}", "-f")));
        Assert.Equal((0, "two\n"), Shown(await RunAsync("logs", $"{id}/{id}", "--step", "build", "--grep", "TWO")));
        Assert.Equal((0, ""), Shown(await RunAsync("events", $"{id}/{id}", "-f")));
        Assert.Equal((0, "two\n"), Shown(await RunAsync("logs", $"{id}/{id}", "--step", "build", "--tail", "1")));
    }

    [Fact]
    public async Task A_run_is_started_watched_retried_and_deleted_by_commands()
    {
        var id = await DefineAsync(Job("build"), Job("ship", "build"));
        Assert.Equal((0, "The run could start.\n"), Shown(await RunAsync("run", id, "--id", "i-1", "--dry-run")));
        Assert.Equal((0, $"{id}/i-1.0\n"), Shown(await RunAsync("run", id, "--id", "i-1", "--tag", "branch=main")));
        Assert.Equal((0, $"{id}/i-1.0\n"), Shown(await RunAsync("runs", "list", "--where", $"workflow={id} tag.branch=main", "-o", "name")));
        Assert.Equal(5, (await RunAsync("wait", $"{id}/i-1", "--timeout", "0")).Code);
        await EndAsync("complete", "{}");
        await EndAsync("fail", """{"error":"no","retryable":false}""");
        Assert.Equal((1, $"{id}/i-1.0  failed  ship: no\n"), Shown(await RunAsync("wait", $"{id}/i-1")));

        Assert.Equal((0, $"{id}/i-1.1\nkeeps 1 steps: build\nruns 1 steps again: ship\n"), Shown(await RunAsync("runs", "retry", $"{id}/i-1")));
        Assert.Equal(8, (await RunAsync("runs", "retry", $"{id}/i-1")).Code);
        Assert.Matches($"^{id}/i-1\n├─ run 0  failed  .+  1/2 steps\n│   ship: no\n└─ run 1  queued  .+  1/2 steps\n$", (await RunAsync("runs", "tree", $"{id}/i-1")).Output);
        await EndAsync("complete", "{}");
        Assert.Equal(0, (await RunAsync("wait", $"{id}/i-1")).Code);
        Assert.Equal((0, $"{id}/i-2.0\nkeeps 1 steps: build\nruns 1 steps again: ship\n"), Shown(await RunAsync("runs", "fork", $"{id}/i-1", "--from", "ship", "--id", "i-2")));
        Assert.Matches(
            $"^{id}/i-1\n├─ run 0  failed  .+\n│   ship: no\n└─ run 1  succeeded  .+  2/2 steps\n   └─ fork {id}/i-2.0  queued  .+  1/2 steps\n$", (await RunAsync("runs", "tree", $"{id}/i-1")).Output);
        Assert.StartsWith($"{id}/i-1.1, forked into\n{id}/i-2\n", (await RunAsync("runs", "tree", $"{id}/i-2")).Output, StringComparison.Ordinal);
        Assert.Equal((0, $"{id}/i-2.0  paused\n"), Shown(await RunAsync("runs", "pause", $"{id}/i-2")));
        Assert.Equal((0, $"{id}/i-2.0  queued\n"), Shown(await RunAsync("runs", "resume", $"{id}/i-2")));
        Assert.Equal((0, $"{id}/i-2.0  cancelled\n"), Shown(await RunAsync("runs", "cancel", $"{id}/i-2", "--reason", "wrong branch")));
        Assert.Equal(4, (await RunAsync("wait", $"{id}/i-2")).Code);
        Assert.Equal(2, (await RunAsync("runs", "delete", $"{id}/i-2")).Code);
        Assert.Equal((0, $"{id}/i-2.0  deleted\n"), Shown(await RunAsync("runs", "delete", $"{id}/i-2", "--yes")));
        Assert.Equal(3, (await RunAsync("runs", "show", $"{id}/i-2")).Code);
    }

    [Theory]
    [InlineData(2, "expected NAME=VALUE", "run", "x", "--input", "a")]
    [InlineData(3, "There is", "run", "none")]
    [InlineData(2, "--data: not JSON", "send", "a/b", "go", "--data", "{")]
    [InlineData(3, "There is no instance 'b' in workflow 'a'.", "runs", "show", "a/b")]
    [InlineData(2, "'a' is no run", "runs", "show", "a")]
    [InlineData(2, "--where, column 1", "runs", "list", "--where", "stat=x")]
    [InlineData(2, "limit", "runs", "list", "--limit", "201")]
    [InlineData(2, "--server", "runs", "list", "--server", "ftp://x")]
    [InlineData(7, "no broker answers", "runs", "list", "--server", "http://127.0.0.1:1")]
    [InlineData(2, "--api-key-file", "runs", "list", "--api-key-file", "/nowhere/key")]
    public async Task A_fault_is_one_line_on_standard_error_and_an_exit_code(int code, string message, params string[] words)
    {
        var (exit, output, errors) = await RunAsync(words);
        Assert.Equal((code, ""), (exit, output));
        Assert.StartsWith("broker: ", errors, StringComparison.Ordinal);
        Assert.Contains(message, errors, StringComparison.Ordinal);
        Assert.Equal(1, errors.Count(letter => letter == '\n'));
    }

    [Fact]
    public async Task Files_are_applied_all_or_none_and_the_same_file_again_changes_nothing()
    {
        using var folder = new TempFolder();
        var (one, two) = ($"a{Label}", $"b{Label}");
        Write(one, "make test");
        File.WriteAllText(Path.Combine(folder.Path, $"{two}.yml"), "name: b\non: push\njobs:\n  build:\n    runs-on: linux\n    steps: 7\n");
        var faulty = await RunAsync("apply", "-f", folder.Path);
        Assert.Equal((2, ""), (faulty.Code, faulty.Output));
        Assert.Matches($"{two}.yml:6: jobs.build.steps: .+\n$", faulty.Errors);
        Assert.Equal(3, (await RunAsync("run", one)).Code);

        Write(two, "make it");
        Assert.Matches($"{one} +would be created .+ 1 *\n{two} +would be created", (await RunAsync("apply", "-f", folder.Path, "--dry-run")).Output);
        Assert.Equal(3, (await RunAsync("run", one)).Code);
        Assert.Equal((0, $"{one}\n{two}\n"), Shown(await RunAsync("apply", "-f", folder.Path, "-o", "name")));
        Assert.Equal(0, (await RunAsync("run", one)).Code);
        Write(one, "make test again");
        Assert.Matches($"{one} +updated .+\n{two} +unchanged", (await RunAsync("apply", "-f", folder.Path)).Output);
        Assert.Equal(2, (await RunAsync("apply", "-f", Path.Combine(folder.Path, "none.yml"))).Code);

        void Write(string name, string command) =>
            File.WriteAllText(Path.Combine(folder.Path, $"{name}.yml"), $"name: a\non: push\njobs:\n  build:\n    runs-on: linux\n    steps:\n      - run: {command}\n");
    }

    [Fact]
    public async Task Many_runs_are_counted_steered_and_listed_by_one_expression()
    {
        var id = await DefineAsync(Job("build"));
        for (var i = 0; i < 3; i++) Assert.Equal(0, (await RunAsync("run", id, "--id", $"i-{i}", "--tag", $"n={i}")).Code);
        string[] all = ["--where", $"workflow={id}"];

        var trial = await RunAsync(["runs", "cancel", .. all, "--dry-run"]);
        Assert.StartsWith("cancel: 3 runs fit, 3 of them take it now.", trial.Output, StringComparison.Ordinal);
        Assert.Equal((0, 3), (trial.Code, (await RunAsync(["runs", "list", .. all, "--status", "queued", "-o", "name"])).Output.Count(letter => letter == '\n')));
        Assert.Equal(2, (await RunAsync(["runs", "cancel", .. all, $"{id}/i-0"])).Code);
        Assert.Equal(2, (await RunAsync("runs", "cancel")).Code);
        Assert.Equal(2, (await RunAsync("runs", "cancel", $"{id}/i-0", "--dry-run")).Code);

        var ended = await RunAsync(["runs", "cancel", .. all, "--where", $"workflow={id} tag.n!=2", "--yes"]);
        Assert.Equal(2, ended.Code);
        ended = await RunAsync("runs", "cancel", "--where", $"workflow={id} tag.n!=2", "--yes", "--reason", "test");
        Assert.Equal(0, ended.Code);
        Assert.Matches("bulk (?<id>[0-9]+): cancel, done: 2 done, 0 skipped, 0 failed, of 2\n", ended.Output);
        var number = System.Text.RegularExpressions.Regex.Match(ended.Output, "bulk ([0-9]+)").Groups[1].Value;
        Assert.Equal((0, $"{id}/i-0.0\n{id}/i-1.0\n"), Shown(Sorted(await RunAsync("bulk", "results", number, "-o", "name"))));
        Assert.Equal("done", JsonElement.Parse((await RunAsync("bulk", "show", number, "-o", "json")).Output).GetProperty("state").GetString());
        Assert.Equal((0, $"{id}/i-2.0  paused\n"), Shown(await RunAsync("runs", "pause", $"{id}/i-2")));
        Assert.Equal(8, (await RunAsync("runs", "pause", $"{id}/i-0", $"{id}/i-2")).Code);

        var csv = (await RunAsync(["runs", "export", .. all, "--format", "csv"])).Output.Split('\n');
        Assert.StartsWith("workflow,instance,run,status,", csv[0], StringComparison.Ordinal);
        Assert.StartsWith($"{id},i-0,0,cancelled,", csv[1], StringComparison.Ordinal);
        Assert.EndsWith(",\"{\"\"n\"\":\"\"0\"\"}\"", csv[1], StringComparison.Ordinal);
        var lines = (await RunAsync(["runs", "export", .. all, "--details", "--most", "2"])).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        Assert.Equal("{}", JsonElement.Parse(lines[0]).GetProperty("inputs").GetRawText());
    }

    [Fact]
    public async Task Output_has_the_form_and_the_columns_that_were_asked_for()
    {
        var id = await DefineAsync(Job("build"));
        Assert.Equal(0, (await RunAsync("run", id, "--id", "i-1", "--tag", "note=a: b")).Code);
        string[] list = ["runs", "list", "--where", $"workflow={id}"];

        Assert.Equal($"STATUS  RUN\nqueued  {id}/i-1.0\n", Trimmed((await RunAsync([.. list, "--columns", "status,run"])).Output));
        Assert.Contains("there is no column 'x'; expected any of RUN, STATUS", (await RunAsync([.. list, "--columns", "x"])).Errors, StringComparison.Ordinal);
        var yaml = (await RunAsync([.. list, "-o", "yaml"])).Output;
        Assert.StartsWith($"- workflow: ", yaml, StringComparison.Ordinal);
        Assert.Contains("\n  status: queued\n", yaml, StringComparison.Ordinal);
        Assert.Contains("\n  tags:\n    note: \"a: b\"\n", yaml, StringComparison.Ordinal);

        static string Trimmed(string table) => string.Join('\n', table.Split('\n').Select(line => line.TrimEnd()));
    }

    [Fact]
    public async Task A_step_is_ended_or_released_by_hand()
    {
        var id = await DefineAsync(Job("build"), Job("ship", "build"), Job("tell", "ship"));
        Assert.Equal(0, (await RunAsync("run", id, "--id", "i-1")).Code);
        await PostAsync("/api/jobs/claim", $$"""{"worker_id":"w","labels":["{{Label}}"]}""");
        Assert.Equal(2, (await RunAsync("steps", "release", $"{id}/i-1", "build")).Code);
        Assert.Equal((0, $"{id}/i-1  build  ready\n"), Shown(await RunAsync("steps", "release", $"{id}/i-1", "build", "--reason", "old disk")));
        Assert.Equal(8, (await RunAsync("steps", "release", $"{id}/i-1", "build", "--reason", "again")).Code);
        Assert.Equal(3, (await RunAsync("steps", "skip", $"{id}/i-1", "none", "--reason", "x")).Code);
        Assert.Equal(2, (await RunAsync("steps", "complete", $"{id}/i-1", "build", "--reason", "x", "--value", "{")).Code);
        Assert.Equal((0, $"{id}/i-1  build  succeeded\n"), Shown(await RunAsync("steps", "complete", $"{id}/i-1", "build", "--reason", "built elsewhere", "--value", """{"version":"7"}""")));
        Assert.Equal((0, $"{id}/i-1  ship  skipped\n"), Shown(await RunAsync("steps", "skip", $"{id}/i-1", "ship", "--reason", "not today")));
        Assert.Equal(0, (await RunAsync("run", id, "--id", "i-2")).Code);
        Assert.Equal((0, $"{id}/i-2  build  failed\n"), Shown(await RunAsync("steps", "fail", $"{id}/i-2", "build", "--reason", "x", "--name", "Stopped", "--message", "by hand")));
        Assert.Equal((1, $"{id}/i-2.0  failed  build: by hand\n"), Shown(await RunAsync("wait", $"{id}/i-2")));
    }

    [Fact]
    public async Task A_webhook_is_changed_disabled_and_enabled()
    {
        var made = JsonElement.Parse((await RunAsync("webhooks", "create", "https://hooks.example.com/a", "--event", "run.failed", "--where", "workflow=ci", "-o", "json")).Output);
        var id = made.GetProperty("id").GetString()!;
        var changed = await RunAsync("webhooks", "change", id, "--url", "https://hooks.example.com/b", "--event", "run.succeeded", "--event", "run.failed", "--where", "");
        Assert.Equal(0, changed.Code);
        Assert.Contains("url      https://hooks.example.com/b\n", changed.Output, StringComparison.Ordinal);
        Assert.Contains("where    -\n", changed.Output, StringComparison.Ordinal);
        Assert.Contains("run.succeeded", changed.Output, StringComparison.Ordinal);
        Assert.Equal(2, (await RunAsync("webhooks", "change", id)).Code);
        Assert.Contains("state    disabled\n", (await RunAsync("webhooks", "disable", id)).Output, StringComparison.Ordinal);
        Assert.Contains("state    enabled\n", (await RunAsync("webhooks", "enable", id)).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync("webhooks", "delete", id)).Code);
        Assert.Equal(3, (await RunAsync("webhooks", "enable", id)).Code);
    }

    [Fact]
    public async Task Completion_knows_commands_workflows_and_runs()
    {
        var id = await DefineAsync(Job("build"));
        Assert.Equal(0, (await RunAsync("run", id, "--id", "i-1")).Code);
        Suggestions.Timeout = TimeSpan.FromSeconds(30);
        Assert.Contains("cancel\n", await SuggestAsync("broker runs c"), StringComparison.Ordinal);
        Assert.Contains(id, await SuggestAsync($"broker run --server {app.Address} {id[..5]}"), StringComparison.Ordinal);
        Assert.Contains($"{id}/i-1.0", await SuggestAsync($"broker runs show --server {app.Address} {id}"), StringComparison.Ordinal);
        Assert.DoesNotContain(id, await SuggestAsync("broker runs show --server http://127.0.0.1:1 "), StringComparison.Ordinal);

        async Task<string> SuggestAsync(string line)
        {
            using var output = new StringWriter { NewLine = "\n" };
            await CommandLine.RunAsync([$"[suggest:{line.Length}]", line], output, TextWriter.Null);
            return output.ToString();
        }
    }

    [Fact]
    public async Task An_ended_run_is_a_JUnit_file()
    {
        using var folder = new TempFolder();
        var path = Path.Combine(folder.Path, "run.xml");
        var id = await DefineAsync(Job("build"), Job("ship", "build"), Job("tell", "ship"));
        Assert.Equal(0, (await RunAsync("run", id, "--id", "i-1")).Code);
        await EndAsync("complete", "{}");
        await EndAsync("fail", """{"error":"no <disk>\u0001","retryable":false}""");

        Assert.Equal(1, (await RunAsync("wait", $"{id}/i-1", "--junit", path)).Code);
        var suite = System.Xml.Linq.XDocument.Load(path).Root!.Element("testsuite")!;
        Assert.Equal(("3", "1", "1"), (suite.Attribute("tests")!.Value, suite.Attribute("failures")!.Value, suite.Attribute("skipped")!.Value));
        Assert.Equal(["build", "ship", "tell"], suite.Elements("testcase").Select(test => test.Attribute("name")!.Value));
        Assert.Equal("no <disk>\ufffd", suite.Descendants("failure").Single().Attribute("message")!.Value);
    }

    private async Task EndAsync(string how, string body)
    {
        var claimed = await PostAsync("/api/jobs/claim", $$"""{"worker_id":"w","labels":["{{Label}}"]}""");
        Assert.Equal(200, (await PostAsync($"/api/jobs/{claimed.Json!["lease"]!["lease_id"]}/{how}", body)).Status);
    }

    private static (int Code, string Output, string Errors) Sorted((int Code, string Output, string Errors) call) =>
        call with { Output = string.Concat(call.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal).Select(line => line + "\n")) };

    private protected async Task<(int Code, string Output, string Errors)> RunAsync(params string[] words)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var errors = new StringWriter { NewLine = "\n" };
        string[] server = words.Contains("--server") ? [] : ["--server", app.Address.ToString()];
        var code = await CommandLine.RunAsync([.. words, .. server], output, errors);
        return (code, output.ToString(), errors.ToString());
    }

    private static (int Code, string Output) Shown((int Code, string Output, string Errors) call) => (call.Code, call.Output);
}

public sealed class PostgresCliTests(PostgresApp app) : CliSuite(app), IClassFixture<PostgresApp>;

public sealed class SqliteCliTests(SqliteApp app) : CliSuite(app), IClassFixture<SqliteApp>;
