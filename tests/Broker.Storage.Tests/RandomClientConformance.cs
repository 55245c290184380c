using System.Globalization;
using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Testing;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>
/// Random clients on real stores. Afterwards everything is driven to its end and the books are checked. BROKER_STORIES sets the number
/// of runs that are played with (200), BROKER_STORY_SEED the first seed.
/// </summary>
public abstract class RandomClientConformance : StoreTests
{
    private const int RunsAtOnce = 10;
    private const int Clients = 4;
    private const int Moves = 30;

    private static readonly IReadOnlyList<WorkflowDefinition> Registered =
    [
        ADefinition.Of("""
            {"workflow_id": "branching", "steps": {
              "a": {"predecessors": [], "successors": {"yes": ["b"], "no": ["c"], "default": ["d"]}, "retries": {"limit": 2}},
              "b": {"predecessors": ["a"], "successors": {"default": ["e"]}},
              "c": {"predecessors": ["a"], "successors": {"default": ["e"]}},
              "d": {"predecessors": ["a"], "successors": {"default": ["e"]}},
              "e": {"predecessors": ["b", "c", "d"], "or_groups": {"g": ["b", "c", "d"]}, "successors": {"default": []}}}}
            """),
        ADefinition.Of("""
            {"workflow_id": "waiting", "steps": {
              "a": {"predecessors": [], "successors": {"default": ["w1", "w2", "nap"]}},
              "w1": {"kind": "waitForEvent", "event": "go", "predecessors": ["a"], "successors": {"default": ["b"]}},
              "w2": {"kind": "waitForEvent", "event": "go", "predecessors": ["a"], "successors": {"default": ["w3"]}},
              "nap": {"kind": "sleep", "duration_ms": 3600000, "predecessors": ["a"], "successors": {"default": ["b"]}},
              "w3": {"kind": "waitForEvent", "event": "go", "predecessors": ["w2"], "successors": {"default": ["b"]}},
              "b": {"predecessors": ["w1", "w3", "nap"], "successors": {"default": []}}}}
            """),
    ];

    private static readonly IReadOnlyList<WorkflowDefinition> Labelled =
    [
        ADefinition.Of("""
            {"workflow_id": "jobs", "jobs": {"name": "jobs", "trigger": ""}, "steps": {
              "a": {"command": "x", "depends_on": [], "retry_policy": {"max_retries": 1}},
              "b": {"command": "x", "depends_on": ["a"], "required_labels": ["gpu"]},
              "c": {"command": "x", "depends_on": ["a"], "priority": 5, "retry_policy": {"max_retries": 2, "backoff": {"Fixed": {"delay_secs": 60}}}},
              "e": {"command": "x", "depends_on": ["b", "c"]}}}
            """),
    ];

    private protected RandomClientConformance(ITestEngine engine)
        : base(engine)
    {
    }

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : otherwise;

    [Fact]
    public async Task The_books_balance_after_any_order_of_calls()
    {
        var (worker, _) = await Store.Workers.RegisterAsync(Registered, Ct);
        foreach (var definition in Labelled) await RegisterAsync(definition);
        var peer = OpenPeer();
        var seed = Setting("BROKER_STORY_SEED", Environment.TickCount & 0xFFFFFF);
        for (var played = 0; played < Setting("BROKER_STORIES", 200); played += RunsAtOnce, seed += Clients)
        {
            var starts = Enumerable.Range(0, RunsAtOnce).Select(i => Start(i, seed)).ToList();
            var started = await Store.Runs.StartAsync(starts, Ct);
            var observations = new SharedObservations([.. started.Select(s => (s.Run!.Workflow, s.Run.InstanceId))], started[0].Run!.Id, worker!);
            try
            {
                await Task.WhenAll(Enumerable.Range(0, Clients).Select(c =>
                    Task.Run(() => new RandomClient(c % 2 == 0 ? Store : peer, Engine, observations, seed + c, Ct).PlayAsync(Moves), Ct)));
                await CheckCountersAsync();
                await DriveToTheEndAsync(observations);
                await CheckBooksAsync(observations);
            }
            catch (Exception fault) when (fault is not OperationCanceledException)
            {
                Assert.Fail($"RandomClient with BROKER_STORY_SEED={seed}: {fault}");
            }
        }
    }

    private static StartRequest Start(int number, int seed)
    {
        WorkflowDefinition[] all = [.. Registered, .. Labelled];
        return new StartRequest(all[number % all.Length], $"s{seed}-{number}") { Streams = number % 2 == 0 };
    }

    // One statement, so that run and steps are of one moment: nothing is written now, but the peer's last transaction may be young.
    private async Task CheckCountersAsync() => Assert.Empty(await Engine.QueryAsync("""
        SELECT r.id, r.active, (SELECT count(*) FROM step s WHERE s.run_id = r.id AND s.status IN (1, 2, 3, 8)),
            r.mail, (SELECT count(*) FROM inbox i WHERE i.run_id = r.id AND i.delivered_at IS NULL)
        FROM run r
        WHERE r.active <> (SELECT count(*) FROM step s WHERE s.run_id = r.id AND s.status IN (1, 2, 3, 8))
            OR r.mail <> (SELECT count(*) FROM inbox i WHERE i.run_id = r.id AND i.delivered_at IS NULL)
        """));

    private async Task DriveToTheEndAsync(SharedObservations observations)
    {
        for (var round = 0; round < 100; round++)
        {
            await Engine.ExecuteAsync("UPDATE step SET expires_at = 1 WHERE status = 2");
            while (await Store.Runs.ExpireLeasesAsync(100, Ct) > 0)
            {
                // A bounded batch at a time.
            }

            foreach (var (workflow, id) in observations.Instances) await Store.Runs.ControlAsync(workflow, id, ControlCommand.Resume, Ct);
            await Engine.ExecuteAsync("UPDATE step SET due = queued_at WHERE status IN (1, 3)");
            await Engine.ExecuteAsync("UPDATE step SET rank = due WHERE status = 1 AND rank > due");
            await Store.Runs.FinishDueAsync(1000, Ct);
            ClaimRequest[] claims = [new("driver", ClaimScope.ByLabels, ["gpu"], 100), new(observations.Worker, ClaimScope.ByRegistration, [], 100)];
            foreach (var claim in claims)
            {
                foreach (var step in await Store.Steps.ClaimAsync(claim, Ct)) Assert.Equal(ReportVerdict.Accepted, await SucceedAsync(step));
            }

            if ((await Engine.QueryAsync("SELECT id FROM run WHERE phase < 3")).Count == 0) return;
        }

        Assert.Fail("Runs do not end: " + string.Join("; ", await Engine.QueryAsync("""
            SELECT r.id, r.workflow, r.phase, r.active, s.idx, s.status, s.due, s.rank FROM run r LEFT JOIN step s ON s.run_id = r.id AND s.status IN (1, 2, 3, 8) WHERE r.phase < 3
            """)));
    }

    private async Task CheckBooksAsync(SharedObservations observations)
    {
        Assert.Empty(observations.Faults);
        await CheckCountersAsync();
        Assert.Empty(await Engine.QueryAsync("SELECT run_id, idx, status FROM step WHERE status IN (1, 2, 3, 8)"));
        Assert.Empty(await Engine.QueryAsync("SELECT run_id, idx, status FROM step WHERE fence IS NOT NULL AND status <> 7"));
        Assert.DoesNotContain(observations.Successes, s => s.Value > 1);
        Assert.Empty(await Engine.QueryAsync("SELECT workflow, instance_id, count(*) FROM run WHERE is_current GROUP BY workflow, instance_id HAVING count(*) <> 1"));
        Assert.Empty(await Engine.QueryAsync("SELECT id FROM run r WHERE NOT is_current AND NOT EXISTS (SELECT 1 FROM run n WHERE n.workflow = r.workflow AND n.instance_id = r.instance_id AND n.number = r.number + 1)"));

        // Numbers without a gap, and the counter at the next one.
        Assert.Empty(await Engine.QueryAsync("""
            SELECT e.run_id, count(*), max(e.seq), max(s.next) FROM event e JOIN stream s ON s.run_id = e.run_id
            GROUP BY e.run_id HAVING count(*) <> max(e.seq) + 1 OR max(s.next) <> max(e.seq) + 1 OR min(e.seq) <> 0
            """));
        await CheckMailAsync();
    }

    // An event sent to the first wait appears in one step's result, one sent to all waiting in those that it met together.
    private async Task CheckMailAsync()
    {
        await using var db = Store.Engine.CreateContext();
        var waits = await db.Steps.AsNoTracking()
            .Join(db.Runs.Where(r => r.Workflow == "waiting"), s => s.RunId, r => r.Id, (s, r) => s)
            .Where(s => s.Status == (short)StepStatus.Succeeded && s.Result != null && s.Result.Contains("\"payload\""))
            .ToListAsync(Ct);
        var mail = (await db.Inbox.AsNoTracking().Where(i => i.DeliveredAt != null).ToListAsync(Ct)).ToLookup(i => (i.RunId, i.Payload));
        foreach (var taken in waits.GroupBy(s => (s.RunId, Payload: Payload(s.Result!))))
        {
            var message = Assert.Single(mail[taken.Key]);
            Assert.Contains(taken, s => s.Idx == message.ConsumedBy);
            Assert.All(taken, s => Assert.Equal(message.DeliveredAt, s.EndedAt));
            if (message.Payload!.Contains(nameof(Delivery.First), StringComparison.Ordinal)) Assert.Single(taken);
        }

        Assert.Equal(mail.Count, waits.Select(s => (s.RunId, Payload(s.Result!))).Distinct().Count());
    }

    private static string Payload(string result)
    {
        using var parsed = System.Text.Json.JsonDocument.Parse(result);
        return parsed.RootElement.GetProperty("payload").GetRawText();
    }
}
