using System.Diagnostics;
using Broker.Engine;
using Broker.Settings;
using Broker.Storage.Health;
using Broker.Testing;
using Broker.Tests.App;
using Broker.WorkflowFiles;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Broker.Tests.WorkflowFiles;

/// <summary>A workflow whose file appears, changes, breaks or is removed, with a restart and without one.</summary>
public abstract class WorkflowFileSuite(PostgresCluster? cluster) : FolderBroker(cluster)
{
    private const string Broken = "name: [\n";

    [Fact]
    public async Task After_a_restart_a_removed_file_is_gone_and_a_broken_one_cannot_be_started()
    {
        foreach (var name in (string[])["kept", "gone", "broken"]) Write($"{name}.yml");
        var broker = await StartAsync();
        Assert.Equal(["broken", "gone", "kept"], await ListedAsync(broker));
        Assert.Equal(202, await RunAsync(broker, "gone"));
        Assert.Equal(202, await RunAsync(broker, "broken"));
        await StopAsync();

        File.Delete(Path.Combine(Folder, "gone.yml"));
        WriteText("broken.yml", Broken);
        broker = await StartAsync();

        Assert.Equal(["kept"], await ListedAsync(broker));
        Assert.Equal((202, 404, 409), (await RunAsync(broker, "kept"), await RunAsync(broker, "gone"), await RunAsync(broker, "broken")));
        var files = (await CallAsync(broker, "GET", "/api/workflow-files")).Json!.AsArray();
        Assert.Equal(["broken", "kept"], files.Select(f => (string)f!["workflow_id"]!));
        Assert.Contains("is not readable YAML", (string)files[0]!["error"]!, StringComparison.Ordinal);
        Assert.Null(files[0]!["version"]);
        Assert.Null(files[1]!["error"]);

        // The state is in the database: it holds on a broker that has begun later, too.
        await StopAsync();
        broker = await StartAsync();
        Assert.Equal((404, 409), (await RunAsync(broker, "gone"), await RunAsync(broker, "broken")));
    }

    [Fact]
    public async Task The_list_of_files_is_given_in_pages()
    {
        string[] names = ["a", "b", "c", "d"];
        foreach (var name in names) Write($"{name}.yml");
        var broker = await StartAsync();

        Assert.Equal(["a", "b"], await PageAsync("limit=2"));
        Assert.Equal(["c", "d"], await PageAsync("limit=2&offset=2"));
        Assert.Equal(["d"], await PageAsync("offset=3"));
        Assert.Empty(await PageAsync("limit=0"));
        Assert.Empty(await PageAsync("offset=99999999999"));
        Assert.Equal(names, await PageAsync("limit=99999999999"));
        foreach (var (query, field) in (IEnumerable<(string, string)>)[("limit=-1", "limit"), ("offset=x", "offset"), ("limit=&offset=1", "limit")])
        {
            var refused = await CallAsync(broker, "GET", $"/api/workflow-files?{query}");
            Assert.Equal((400, $"query.{field}"), (refused.Status, (string)refused.Json!["place"]!));
        }

        async Task<IEnumerable<string>> PageAsync(string query) =>
            (await CallAsync(broker, "GET", $"/api/workflow-files?{query}")).Json!.AsArray().Select(f => (string)f!["workflow_id"]!);
    }

    [Fact]
    public async Task A_run_is_finished_and_shown_after_its_file_was_removed()
    {
        Write("gone.yml");
        Write("kept.yml", "kept");
        var broker = await StartAsync();
        Assert.Equal(202, await RunAsync(broker, "gone"));
        File.Delete(Path.Combine(Folder, "gone.yml"));
        await Eventually.TrueAsync(async () => await RunAsync(broker, "gone") == 404, TimeSpan.FromSeconds(60));

        var claimed = await ClaimAsync(broker);
        Assert.Equal("echo old", (string)claimed!["job"]!["command"]!);
        Assert.Equal(200, (await CallAsync(broker, "POST", $"/api/jobs/{claimed["lease"]!["lease_id"]}/complete", "{}")).Status);

        Assert.Equal("success", (string)(await CallAsync(broker, "GET", "/api/workflows/gone/status")).Json!["jobs"]![0]!["status"]!);
        Assert.Equal(404, await RunAsync(broker, "gone"));
        Assert.Equal(404, (await CallAsync(broker, "POST", "/workflows/gone/run-nowait", "{}")).Status);
        Assert.Equal(404, (await CallAsync(broker, "POST", "/api/workflows/gone/instances", """{"id":"x"}""")).Status);
        Assert.Equal(200, (await CallAsync(broker, "GET", "/api/workflows/gone/instances/gone")).Status);
        Assert.Equal(404, (await CallAsync(broker, "POST", "/api/workflows/gone/instances/gone/restart")).Status);
    }

    [Fact]
    public async Task A_broken_file_is_a_conflict_in_every_dialect_until_it_is_mended()
    {
        WriteText("w.yml", Broken);
        Write("kept.yml", "kept");
        var broker = await StartAsync();

        Assert.Equal(409, await RunAsync(broker, "w"));
        Assert.Equal(409, (await CallAsync(broker, "POST", "/workflows/w/run-nowait", "{}")).Status);
        var created = await CallAsync(broker, "POST", "/api/workflows/w/instances", """{"id":"x"}""");
        Assert.Equal((409, "CONFLICT"), (created.Status, (string)created.Json!["code"]!));
        var status = await CallAsync(broker, "GET", "/api/workflows/w/status");
        Assert.Equal(404, status.Status);
        Assert.Contains("w.yml:2: is not readable YAML", (string)status.Json!["error"]!, StringComparison.Ordinal);
        Assert.DoesNotContain("w", (await CallAsync(broker, "GET", "/workflows")).Json!["workflows"]!.AsArray().Select(n => (string)n!));

        Write("w.yml", "new");
        await Eventually.TrueAsync(async () => await RunAsync(broker, "w") == 202, TimeSpan.FromSeconds(60));
        Assert.Equal("echo new", (string)(await ClaimAsync(broker))!["job"]!["command"]!);
    }

    [Fact]
    public async Task Files_are_followed_without_a_restart_however_they_are_written()
    {
        Write("a.yml", "one");
        var broker = await StartAsync();

        // In place, as a new file, by an atomic rename, and removed.
        Write("a.yml", "two");
        await ShowsAsync(broker, "a", "echo two");
        Write("b.json.part", "part");
        WriteText("b.json", """{"name":"b","on":"push","jobs":{"j":{"run":"echo b"}}}""");
        await ShowsAsync(broker, "b", "echo b");
        Write("a.yml.tmp", "three");
        File.Move(Path.Combine(Folder, "a.yml.tmp"), Path.Combine(Folder, "a.yml"), overwrite: true);
        await ShowsAsync(broker, "a", "echo three");
        File.Delete(Path.Combine(Folder, "b.json"));
        await Eventually.TrueAsync(async () => (await ListedAsync(broker)).SequenceEqual(["a"]), TimeSpan.FromSeconds(60));

        // Written again as it was at first: a version that is known.
        Write("a.yml", "one");
        await ShowsAsync(broker, "a", "echo one");
    }

    [Fact]
    public async Task A_faulty_file_that_is_just_being_written_does_not_replace_what_it_held()
    {
        Write("a.yml", "one");
        var broker = await StartAsync("/nonexistent");
        var clock = new TestClock();
        var settings = broker.Services.GetRequiredService<BrokerSettings>() with { WorkflowsDir = Folder };
        using var files = new WorkflowFileSync(broker.Services.GetRequiredService<BrokerEngine>(), settings, new StoreEpoch(), clock, NullLogger<WorkflowFileSync>.Instance);
        using var faults = new StringWriter();
        async Task LookAsync(TimeSpan age)
        {
            foreach (var file in Directory.GetFiles(Folder)) File.SetLastWriteTimeUtc(file, (clock.GetUtcNow() - age).UtcDateTime);
            await files.LookAsync(faults, Ct);
        }

        await LookAsync(TimeSpan.Zero);
        WriteText("a.yml", Broken);
        WriteText("b.yml", Broken);
        await LookAsync(WorkflowFileSync.Settling / 2);
        Assert.Equal((202, 404), (await RunAsync(broker, "a"), await RunAsync(broker, "b")));
        Assert.Equal("", faults.ToString());

        await LookAsync(WorkflowFileSync.Settling);
        Assert.Equal((409, 409), (await RunAsync(broker, "a"), await RunAsync(broker, "b")));
        Assert.Contains("a.yml:2: is not readable YAML", faults.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_file_of_a_name_is_reported_once_also_when_it_comes_later()
    {
        Write("a.yml");
        var broker = await StartAsync();
        using var faults = new StringWriter();
        using var files = new WorkflowFileSync(
            broker.Services.GetRequiredService<BrokerEngine>(), broker.Services.GetRequiredService<BrokerSettings>(), broker.Services.GetRequiredService<StoreEpoch>(), TimeProvider.System, NullLogger<WorkflowFileSync>.Instance);
        await files.LookAsync(faults, Ct);

        WriteText("a.json", "{");
        Write("a.yaml");
        foreach (var file in Directory.GetFiles(Folder)) File.SetLastWriteTimeUtc(file, TimeProvider.System.GetUtcNow().UtcDateTime.AddMinutes(-1));

        for (var i = 0; i < 3; i++) await files.LookAsync(faults, Ct);

        // The first file by name is the JSON one, which is cut off, so the next one is kept.
        var lines = faults.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(2, lines.Length);
        Assert.StartsWith("a.json:1: is not readable JSON", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("a.yml: has the same id 'a' as a.yaml, which is kept", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_that_is_swapped_by_a_link_is_followed()
    {
        using var releases = new TempFolder();
        var (first, second, current) = (Path.Combine(releases.Path, "1"), Path.Combine(releases.Path, "2"), Path.Combine(releases.Path, "current"));
        Directory.CreateDirectory(first);
        Directory.CreateDirectory(second);
        Write("a.yml", "one", first);
        Write("a.yml", "two", second);
        Write("b.yml", "b", second);
        Directory.CreateSymbolicLink(current, first);
        var broker = await StartAsync(current);
        await ShowsAsync(broker, "a", "echo one");

        Directory.CreateSymbolicLink(current + ".new", second);
        await RunAsync("mv", "-T", current + ".new", current);

        await ShowsAsync(broker, "a", "echo two");
        await ShowsAsync(broker, "b", "echo b");

        // The new one is watched from then on.
        Write("a.yml", "three", second);
        await ShowsAsync(broker, "a", "echo three");
    }

    [Fact]
    public async Task A_mounted_ConfigMap_is_followed_when_its_data_link_is_swapped()
    {
        foreach (var (data, says) in (ValueTuple<string, string>[])[("..1", "one"), ("..2", "two")])
        {
            Directory.CreateDirectory(Path.Combine(Folder, data));
            Write("a.yml", says, Path.Combine(Folder, data));
        }

        Directory.CreateSymbolicLink(Path.Combine(Folder, "..data"), "..1");
        File.CreateSymbolicLink(Path.Combine(Folder, "a.yml"), Path.Combine("..data", "a.yml"));
        var broker = await StartAsync();
        await ShowsAsync(broker, "a", "echo one");

        Directory.CreateSymbolicLink(Path.Combine(Folder, "..data_tmp"), "..2");
        await RunAsync("mv", "-T", Path.Combine(Folder, "..data_tmp"), Path.Combine(Folder, "..data"));
        await ShowsAsync(broker, "a", "echo two");
    }

    [Fact]
    public async Task A_pipe_a_device_and_a_link_out_of_the_folder_are_left_out_and_hold_up_nothing()
    {
        using var elsewhere = new TempFolder();
        Write("secret.yml", "secret", elsewhere.Path);
        await RunAsync("mkfifo", Path.Combine(Folder, "pipe.yml"));
        File.CreateSymbolicLink(Path.Combine(Folder, "zero.yml"), "/dev/zero");
        File.CreateSymbolicLink(Path.Combine(Folder, "out.yml"), Path.Combine(elsewhere.Path, "secret.yml"));
        Write("real.yml", "inside");
        File.CreateSymbolicLink(Path.Combine(Folder, "in.yml"), "real.yml");

        var broker = await StartAsync().WaitAsync(TimeSpan.FromSeconds(90), Ct);

        Assert.Equal(["in", "real"], await ListedAsync(broker));
        var files = (await CallAsync(broker, "GET", "/api/workflow-files")).Json!.AsArray().ToDictionary(f => (string)f!["workflow_id"]!, f => (string?)f!["error"]);
        Assert.Equal("pipe.yml: cannot be read: it is not a regular file", files["pipe"]);
        Assert.Equal("zero.yml: cannot be read: it is not a regular file", files["zero"]);
        Assert.Equal("out.yml: cannot be read: it is a link to a file outside the folder", files["out"]);
        Assert.Null(files["in"]);
    }

    [Fact]
    public async Task A_name_that_is_registered_later_runs_as_registered_and_a_changed_file_takes_it_back()
    {
        Write("shared.yml", "file");
        Write("kept.yml", "kept");
        var broker = await StartAsync();
        const string workflow = """{"workflow_id":"shared","version":"7","steps":{"j":{"depends_on":[],"command":"echo registered"}}}""";
        Assert.Equal(200, (await CallAsync(broker, "POST", "/worker/register", $"[{workflow}]")).Status);
        await ShowsAsync(broker, "shared", "echo registered");

        Write("shared.yml", "changed");
        await ShowsAsync(broker, "shared", "echo changed");
        WriteText("shared.yml", Broken);
        await Eventually.TrueAsync(async () => !(await ListedAsync(broker)).Contains("shared"), TimeSpan.FromSeconds(60));
        Assert.Equal(409, await RunAsync(broker, "shared"));
        File.Delete(Path.Combine(Folder, "shared.yml"));
        await ShowsAsync(broker, "shared", "echo registered");
    }

    private protected static Task ShowsAsync(OwnBroker broker, string id, string command) =>
        Eventually.TrueAsync(
            async () => (await CallAsync(broker, "GET", $"/api/workflows/{id}/status")) is { Status: 200, Json: { } shown } && (string)shown["jobs"]![0]!["command"]! == command,
            TimeSpan.FromSeconds(60), $"{id} shows {command}");

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var run = Process.Start(program, arguments);
        await run.WaitForExitAsync(Ct);
        Assert.Equal(0, run.ExitCode);
    }
}

public sealed class SqliteWorkflowFileTests() : WorkflowFileSuite(null)
{
    [Fact]
    public async Task A_folder_that_the_only_broker_no_longer_reads_offers_nothing()
    {
        using var other = new TempFolder();
        Write("a.yml");
        Write("b.yml", "b", other.Path);
        await StartAsync();
        await StopAsync();

        var broker = await StartAsync(other.Path);

        Assert.Equal(["b"], await ListedAsync(broker));
    }
}

public sealed class PostgresWorkflowFileTests(PostgresCluster cluster) : WorkflowFileSuite(cluster)
{
    [Fact]
    public async Task Brokers_with_different_folders_take_nothing_from_each_other()
    {
        using var other = new TempFolder();
        Write("a.yml", "mine");
        Write("both.yml", "mine");
        Write("b.yml", "theirs", other.Path);
        Write("both.yml", "theirs", other.Path);
        var first = await StartAsync();
        var second = await StartAsync(other.Path);
        Assert.Equal(["a", "b", "both"], await ListedAsync(first));

        // Read last, that one runs; when it goes, the other folder's does.
        await ShowsAsync(first, "both", "echo theirs");
        File.Delete(Path.Combine(other.Path, "both.yml"));
        await ShowsAsync(first, "both", "echo mine");
        File.Delete(Path.Combine(other.Path, "b.yml"));
        await Eventually.TrueAsync(async () => (await ListedAsync(first)).SequenceEqual(["a", "both"]), TimeSpan.FromSeconds(60));
        Assert.Equal(["a", "both"], await ListedAsync(second));
    }

    [Fact]
    public async Task Brokers_with_one_folder_agree_on_what_it_holds()
    {
        Write("a.yml");
        Write("b.yml");
        var brokers = new[] { await StartAsync(), await StartAsync() };

        File.Delete(Path.Combine(Folder, "a.yml"));
        Write("b.yml", "new");

        foreach (var broker in brokers)
        {
            await Eventually.TrueAsync(async () => (await ListedAsync(broker)).SequenceEqual(["b"]), TimeSpan.FromSeconds(60));
            await ShowsAsync(broker, "b", "echo new");
            Assert.Equal(404, await RunAsync(broker, "a"));
        }
    }
}
