using System.Globalization;
using Broker.Core.Runs;
using Broker.Storage.Contracts;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Searches over the runs of all workflows: order, filters, pages, bounds.</summary>
public abstract class RunSearchConformance : StoreTests
{
    private protected RunSearchConformance(ITestEngine engine)
        : base(engine)
    {
    }

    [Fact]
    public async Task Runs_of_all_workflows_come_newest_first_and_page_by_page()
    {
        var (one, two) = (await RegisterAsync(ADefinition.Graph("one", "a")), await RegisterAsync(ADefinition.Graph("two", "a")));
        for (var i = 0; i < 7; i++)
        {
            await Engine.PassAsync(TimeSpan.FromSeconds(1));
            await StartAsync(i % 2 == 0 ? one : two, $"i{i}");
        }

        Assert.Equal(["i6", "i5", "i4", "i3", "i2", "i1", "i0"], await AllAsync(RunFilter.All, 3));
        Assert.Equal(["i0", "i1", "i2", "i3", "i4", "i5", "i6"], await AllAsync(RunFilter.All, 2, oldestFirst: true));
        Assert.Equal(["i5", "i3", "i1"], await AllAsync(new() { Workflows = ["two"] }, 2));
        Assert.Equal(["i6", "i5", "i4", "i3", "i2", "i1", "i0"], await AllAsync(new() { Workflows = ["two", "one"] }, 2));
        Assert.Equal(["i0", "i1", "i2", "i3", "i4", "i5", "i6"], await AllAsync(new() { Workflows = ["two", "one"] }, 3, oldestFirst: true));
        Assert.Equal(["i6", "i4", "i2", "i0"], await AllAsync(new() { NotWorkflows = ["two"] }, 3));
        Assert.Empty(await AllAsync(new() { Workflows = [] }, 3));
        Assert.Empty(await AllAsync(new() { Workflows = ["absent", "\0"] }, 3));
    }

    [Fact]
    public async Task A_run_that_starts_between_two_pages_changes_no_later_page()
    {
        var one = await RegisterAsync(ADefinition.Graph("one", "a"));
        for (var i = 0; i < 4; i++) await StartAsync(one, $"i{i}");
        foreach (var filter in (RunFilter[])[RunFilter.All, new() { Workflows = ["one"] }])
        {
            var first = await Store.Search.ListAsync(new(filter, null, OldestFirst: false, 2), Ct);
            await StartAsync(one, $"new{filter.Workflows?.Count ?? 0}");
            var second = await Store.Search.ListAsync(new(filter, first.Next, OldestFirst: false, 2), Ct);
            Assert.Empty(first.Rows.Select(r => r.Ref.Id).Intersect(second.Rows.Select(r => r.Ref.Id)));
            Assert.Equal(2, second.Rows.Count);
        }
    }

    [Fact]
    public async Task Each_status_is_found_and_shown()
    {
        var gate = ADefinition.Of("""{"workflow_id": "d", "jobs": {"name": "d", "trigger": "t"}, "steps": {"a": {"depends_on": [], "command": "true"}, "b": {"depends_on": ["a"], "command": "true"}}}""");
        var definition = await RegisterAsync(gate);
        var waits = await RegisterAsync(ADefinition.Of("""{"workflow_id": "w", "steps": {"gate": {"kind": "waitForEvent", "event": "go", "timeout_ms": 3600000}}}"""));
        foreach (var id in (string[])["succeeded", "failed", "running"])
        {
            await StartAsync(definition, id);
            var step = (await ClaimAsync())!;
            if (id == "failed") await FailAsync(step, retryable: false);
            if (id != "succeeded") continue;
            await SucceedAsync(step);
            await SucceedAsync((await ClaimAsync())!);
        }

        foreach (var id in (string[])["queued", "paused", "cancelled"]) await StartAsync(definition, id);
        await StartAsync(waits, "waiting");
        await Store.Runs.ControlAsync("d", "paused", ControlCommand.Pause, Ct);
        await Store.Runs.ControlAsync("d", "cancelled", ControlCommand.Cancel, Ct);
        await StartAsync(definition, "pausing");
        await Store.Runs.ControlAsync("d", "queued", ControlCommand.Pause, Ct);
        await ClaimAsync();
        await Store.Runs.ControlAsync("d", "queued", ControlCommand.Resume, Ct);
        await Store.Runs.ControlAsync("d", "pausing", ControlCommand.Pause, Ct);

        foreach (var status in Enum.GetValues<RunStatus>())
        {
            foreach (var workflows in (string[]?[])[null, ["d", "w"]])
            {
                var found = await ListAsync(new() { Statuses = new HashSet<RunStatus> { status }, Workflows = workflows });
                Assert.Equal([status.ToString().ToLowerInvariant()], found.Rows.Select(r => r.Ref.InstanceId));
                Assert.Equal(status, found.Rows[0].Status);
            }
        }

        var active = new HashSet<RunStatus> { RunStatus.Queued, RunStatus.Running, RunStatus.Waiting, RunStatus.Pausing, RunStatus.Paused };
        Assert.Equal(5, (await ListAsync(new() { Statuses = active })).Rows.Count);
        Assert.Empty((await ListAsync(new() { Statuses = new HashSet<RunStatus>() })).Rows);

        var rows = (await ListAsync(RunFilter.All)).Rows.ToDictionary(r => r.Ref.InstanceId);
        Assert.Equal((2, 0, 0), Counts(rows["succeeded"]));
        Assert.Equal((0, 1, 0, (int?)0), (rows["failed"].Progress!.Done, rows["failed"].Progress!.Failed, rows["failed"].Progress!.Running, rows["failed"].Progress!.FailedStep));
        Assert.Equal("no", rows["failed"].Error!.Message);
        Assert.Equal((0, 0, 1), Counts(rows["running"]));
        Assert.Equal("w1", Assert.Single(rows["running"].Progress!.Current).Worker);
        Assert.NotNull(rows["running"].StartedAt);
        Assert.Null(rows["queued"].StartedAt);
        Assert.NotNull(Assert.Single(rows["waiting"].Progress!.Current).Until);
    }

    [Fact]
    public async Task Instances_are_found_by_name_and_by_begin()
    {
        var (one, two) = (await RegisterAsync(ADefinition.Graph("one", "a")), await RegisterAsync(ADefinition.Graph("two", "a")));
        foreach (var id in (string[])["build-1", "build-2", "build", "bülow", "build-😀", "other"]) await StartAsync(one, id);
        await StartAsync(two, "build-1");
        Assert.Equal(["build-1", "build-1"], await NamedAsync(("build-1", false)));
        Assert.Equal(["build-1", "build-1", "build-2", "build-😀"], await NamedAsync(("build-", true)));
        Assert.Equal(["bülow", "other"], await NamedAsync(("bü", true), ("other", false)));
        Assert.Empty(await NamedAsync(("absent", true)));
        Assert.Equal(["bülow", "other"], (await ListAsync(new() { NotInstances = [new("build", true)] })).Rows.Select(r => r.Ref.InstanceId).Order(StringComparer.Ordinal));
        Assert.Equal(["build-1"], (await ListAsync(new() { Instances = [new("build", true)], Workflows = ["two"] })).Rows.Select(r => r.Ref.InstanceId));
        Assert.Equal(6, (await ListAsync(new() { NotInstances = [new("other", false)] })).Rows.Count);

        async Task<IEnumerable<string>> NamedAsync(params (string Text, bool IsPrefix)[] names) =>
            (await ListAsync(new() { Instances = [.. names.Select(name => new NameMatch(name.Text, name.IsPrefix))] })).Rows.Select(r => r.Ref.InstanceId).Order(StringComparer.Ordinal);
    }

    [Fact]
    public async Task Errors_are_searched_in_names_and_messages_whatever_their_case()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        foreach (var (id, error) in new[] { ("one", new Core.Steps.StepError("TimeoutError", "upstream 7 did not answer")), ("two", new("Error", "Größe \"x\" fehlt")), ("three", new("Error", "timeout")) })
        {
            await StartAsync(definition, id);
            var step = (await ClaimAsync())!;
            await Store.Steps.ReportAsync([new LeaseReport(step.Lease, new StepReport(ReportOutcome.Failed) { Error = error })], Ct);
        }

        await StartAsync(definition, "fine");
        Assert.Equal(["three", "one"], (await ListAsync(new() { ErrorTexts = ["TIMEOUT"] })).Rows.Select(r => r.Ref.InstanceId));
        Assert.Equal(["one"], (await ListAsync(new() { ErrorTexts = ["timeout", "upstream"], Workflows = ["d"] })).Rows.Select(r => r.Ref.InstanceId));
        Assert.Equal(["two"], (await ListAsync(new() { ErrorTexts = ["größe \"X\""] })).Rows.Select(r => r.Ref.InstanceId));
        Assert.Equal(["three", "two"], (await ListAsync(new() { ErrorNames = ["Error"] })).Rows.Select(r => r.Ref.InstanceId));
        Assert.Equal(["fine", "one"], (await ListAsync(new() { NotErrorNames = ["Error"] })).Rows.Select(r => r.Ref.InstanceId));
        Assert.Equal(3, (await Store.Search.CountAsync(new() { Statuses = new HashSet<RunStatus> { RunStatus.Failed } }, 100, Ct)).Count);
    }

    [Fact]
    public async Task Times_numbers_versions_steps_and_workers_are_conditions()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a", "b<-a"));
        await StartAsync(definition, "old");
        await SucceedAsync((await ClaimAsync())!);
        await Engine.PassAsync(TimeSpan.FromSeconds(100));
        await SucceedAsync((await ClaimAsync())!);
        var after = await StartAsync(definition, "new");
        await ClaimAsync("w9");
        var created = (await ViewAsync(after)).QueuedAt;

        Assert.Equal(["new"], await FoundAsync(new() { CreatedAfter = created.AddSeconds(-50) }));
        Assert.Equal(["old"], await FoundAsync(new() { CreatedBefore = created.AddSeconds(-50) }));
        Assert.Equal(["old"], await FoundAsync(new() { EndedAfter = created.AddSeconds(-50) }));
        Assert.Empty(await FoundAsync(new() { EndedBefore = created.AddSeconds(-50) }));
        Assert.Equal(["old"], await FoundAsync(new() { LongerThan = TimeSpan.FromSeconds(50) }));
        Assert.Equal(["new"], await FoundAsync(new() { ShorterThan = TimeSpan.FromSeconds(50) }));
        Assert.Equal(["new"], await FoundAsync(new() { Steps = ["a", "absent"] }));
        Assert.Empty(await FoundAsync(new() { Steps = ["b"] }));
        Assert.Equal(["new"], await FoundAsync(new() { Workers = ["w9", "w8"] }));
        Assert.Empty(await FoundAsync(new() { Workers = ["w1"] }));
        Assert.Equal(["new", "old"], await FoundAsync(new() { Versions = [definition.Version] }));
        Assert.Empty(await FoundAsync(new() { NotVersions = [definition.Version] }));

        await Store.Runs.ControlAsync("d", "new", ControlCommand.Restart, Ct);
        Assert.Equal(["new"], await FoundAsync(new() { NumberAbove = 0 }));
        Assert.Equal(["new", "old"], await FoundAsync(new() { NumberBelow = 1 }));
        Assert.Equal(["new"], await FoundAsync(new() { Numbers = [1, 2] }));
        Assert.All((await ListAsync(new() { Instances = [new("new", false)] })).Rows, r => Assert.Equal(1, r.LastNumber));
        Assert.Equal([1, 0], await Store.Search.NumbersAsync("d", "new", 10, Ct));

        async Task<IEnumerable<string>> FoundAsync(RunFilter filter) => (await ListAsync(filter)).Rows.Select(r => r.Ref.InstanceId);
    }

    [Fact]
    public async Task A_search_stops_at_its_bound_and_says_where()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        var failed = await StartAsync(definition, "needle");
        await FailAsync((await ClaimAsync())!, retryable: false);
        var other = await StartAsync(definition, "hay");
        await SucceedAsync((await ClaimAsync())!);
        const int copies = 2 * IRunSearch.Examined;
        var numbers = Target.Postgres is null
            ? $"(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {copies}) SELECT n FROM c)"
            : $"(SELECT generate_series(1, {copies}) AS n)";
        await Engine.ExecuteAsync(string.Create(CultureInfo.InvariantCulture, $"""
            INSERT INTO run (id, workflow, instance_id, number, is_current, definition_id, phase, active, mail, streams, inputs, instance_created_at, created_at, updated_at, ended_at)
            SELECT {other.Id} + k.n, workflow, 'copy' || k.n, 0, true, definition_id, phase, 0, 0, false, '1', created_at + k.n, created_at + k.n, updated_at, ended_at FROM run, {numbers} AS k WHERE run.id = {other.Id}
            """));

        foreach (var workflows in (string[]?[])[null, ["d"]])
        {
            var filter = new RunFilter { Instances = [new("x", true), new("needle", false), new("copy", true)], NotInstances = [new("copy", true)], Workflows = workflows };
            var first = await ListAsync(filter);
            Assert.Empty(first.Rows);
            Assert.NotNull(first.SearchedTo);
            var second = await Store.Search.ListAsync(new(filter, first.Next, OldestFirst: false, 50), Ct);
            Assert.Empty(second.Rows);
            Assert.True(second.SearchedTo < first.SearchedTo);
            var third = await Store.Search.ListAsync(new(filter, second.Next, OldestFirst: false, 50), Ct);
            Assert.Equal(["needle"], third.Rows.Select(r => r.Ref.InstanceId));
            Assert.Null(third.Next);
            Assert.Null(third.SearchedTo);

            // The failed run stands behind all others: its own index finds it at once.
            var found = await ListAsync(new() { Statuses = new HashSet<RunStatus> { RunStatus.Failed }, Workflows = workflows });
            Assert.Equal(failed, Assert.Single(found.Rows).Ref);
            Assert.Null(found.Next);
            var all = await Store.Search.CountAsync(new() { Workflows = workflows }, 100, Ct);
            Assert.Equal((100, true), (all.Count, all.IsCapped));
        }
    }

    private static (int Done, int Failed, int Running) Counts(ListedRun run) => (run.Progress!.Done, run.Progress.Failed, run.Progress.Running);

    private Task<RunList> ListAsync(RunFilter filter) => Store.Search.ListAsync(new(filter, null, OldestFirst: false, 50), Ct);

    private async Task<List<string>> AllAsync(RunFilter filter, int limit, bool oldestFirst = false)
    {
        var all = new List<string>();
        RunListPlace? after = null;
        do
        {
            var page = await Store.Search.ListAsync(new(filter, after, oldestFirst, limit), Ct);
            Assert.InRange(page.Rows.Count, 0, limit);
            Assert.Null(page.SearchedTo);
            all.AddRange(page.Rows.Select(r => r.Ref.InstanceId));
            after = page.Next;
        }
        while (after is not null);
        return all;
    }
}
