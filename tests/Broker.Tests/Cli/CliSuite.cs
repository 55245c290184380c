using System.Text.Json;
using Broker.Commands;
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
        await EndAsync("complete", "{}");
        Assert.Equal(0, (await RunAsync("wait", $"{id}/i-1")).Code);
        Assert.Equal((0, $"{id}/i-2.0\nkeeps 1 steps: build\nruns 1 steps again: ship\n"), Shown(await RunAsync("runs", "fork", $"{id}/i-1", "--from", "ship", "--id", "i-2")));
        Assert.Equal((0, $"{id}/i-2.0  paused\n"), Shown(await RunAsync("runs", "pause", $"{id}/i-2")));
        Assert.Equal((0, $"{id}/i-2.0  queued\n"), Shown(await RunAsync("runs", "resume", $"{id}/i-2")));
        Assert.Equal((0, $"{id}/i-2.0  cancelled\n"), Shown(await RunAsync("runs", "cancel", $"{id}/i-2", "--reason", "wrong branch")));
        Assert.Equal(4, (await RunAsync("wait", $"{id}/i-2")).Code);
        Assert.Equal(2, (await RunAsync("runs", "delete", $"{id}/i-2")).Code);
        Assert.Equal((0, $"{id}/i-2.0  deleted\n"), Shown(await RunAsync("runs", "delete", $"{id}/i-2", "--yes")));
        Assert.Equal(3, (await RunAsync("runs", "show", $"{id}/i-2")).Code);

        async Task EndAsync(string how, string body)
        {
            var claimed = await PostAsync("/api/jobs/claim", $$"""{"worker_id":"w","labels":["{{Label}}"]}""");
            Assert.Equal(200, (await PostAsync($"/api/jobs/{claimed.Json!["lease"]!["lease_id"]}/{how}", body)).Status);
        }
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
