using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Broker.Testing;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Tests.Model;

/// <summary>The stores of one broker, as a client calls them.</summary>
internal sealed record BrokerNode(IStepStore Steps, IRunStore Runs, IHistory History);

/// <summary>One database on which schedules are played one after the other, with the brokers that share it.</summary>
internal sealed class BrokerCluster : IAsyncDisposable
{
    public const long LateMicros = 1_800_000_000;

    private readonly ITestEngine engine;
    private readonly List<StoreHarness> brokers = [];
    private readonly List<WorkflowDefinition> definitions = [];
    private readonly List<string> workers = [];
    private int played;

    private BrokerCluster(ITestEngine engine) => this.engine = engine;

    /// <summary>One for each broker; client n talks to broker n modulo their number.</summary>
    public List<BrokerNode> Nodes { get; } = [];

    public bool IsShared => engine.IsShared;

    /// <summary>Workers that have registered all definitions but the jobs.</summary>
    public string Worker(int client) => workers[client % workers.Count];

    public WorkflowDefinition Definition(int graph) => definitions[graph];

    public string NextPrefix() => $"s{++played}";

    public static async Task<BrokerCluster> OpenAsync(ITestEngine engine, InjectedFault? plant, int workers, CancellationToken ct)
    {
        var cluster = new BrokerCluster(engine);
        try
        {
            await cluster.PrepareAsync(plant, workers, ct);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    private async Task PrepareAsync(InjectedFault? plant, int count, CancellationToken ct)
    {
        var target = await engine.CreateAsync(migrated: true);
        for (var i = 0; i < (engine.IsShared ? 2 : 1); i++)
            brokers.Add(StoreHarness.Open(target, engine.Clock, amend: plant is null ? null : services => FaultyEngine.Add(services, plant)));
        await brokers[0].Migrator.MigrateAsync(ct);
        definitions.AddRange(ModelGraph.All.Select(g => g.ToDefinition()));
        await brokers[0].Definitions.RegisterAsync(definitions, makeLatest: false, ct);
        var registered = definitions.Where((_, i) => !ModelGraph.All[i].IsJobs).ToList();
        for (var i = 0; i < count; i++) workers.Add((await brokers[0].Workers.RegisterAsync(registered, ct)).Id!);
        foreach (var broker in brokers)
        {
            // No client sees a claim that the broker makes ahead, and the reference makes only moves of clients. They have tests of their own.
            broker.EagerDispatch.Close();

            // Each broker has met every definition, as a broker under way has. So the steps that it may hand out do not depend on definitions that it has yet to meet.
            await broker.Runs.StartAsync([.. definitions.Select(d => new StartRequest(d, $"warm-{brokers.IndexOf(broker)}"))], ct);
            Nodes.Add(new(plant?.Wrap(broker.Steps, this) ?? broker.Steps, plant?.Wrap(broker.Runs, this) ?? broker.Runs, broker.History));
        }

        await WipeAsync(ct);
    }

    /// <summary>Runs SQL under the run's lock, as the product's own transactions do; returns how many rows changed.</summary>
    public async Task<int> ChangeAsync(long runId, string update, CancellationToken ct)
    {
        using var turn = await brokers[0].Engine.WriteTurnAsync(ct);
        await using var db = brokers[0].Engine.CreateContext();
        var changed = await db.Database.ExecuteSqlRawAsync(engine.IsShared ? $"SELECT 1 FROM run WHERE id = {runId} FOR UPDATE; {update}" : update, ct);
        return Math.Max(changed, 0);
    }

    public BrokerDb Read() => brokers[0].Engine.CreateContext();

    public async Task WipeAsync(CancellationToken ct)
    {
        using var turn = await brokers[0].Engine.WriteTurnAsync(ct);
        await using var db = brokers[0].Engine.CreateContext();
        await db.Database.ExecuteSqlRawAsync("DELETE FROM step; DELETE FROM step_attempt; DELETE FROM event; DELETE FROM stream; DELETE FROM inbox; DELETE FROM log; DELETE FROM run", ct);
    }

    /// <summary>The instances as the model would write them, from the stores and the tables.</summary>
    public async Task<string> ObserveAsync(IReadOnlyList<ModelGraph> graphs, Func<int, string> id, CancellationToken ct)
    {
        await using var db = Read();
        var lines = new List<string>();
        for (var i = 0; i < graphs.Count; i++)
        {
            var (name, instance) = (graphs[i].Name, id(i));
            var rows = await db.Runs.AsNoTracking().Where(r => r.Workflow == name && r.InstanceId == instance).OrderBy(r => r.Number).ToListAsync(ct);
            var runs = new List<string>();
            foreach (var row in rows)
            {
                var view = (await brokers[0].History.FindAsync(name, instance, row.Number, ct))!;
                var run = Read(view, graphs[i]);
                foreach (var step in await db.Steps.AsNoTracking().Where(s => s.RunId == row.Id).Select(s => new { s.Idx, s.Result, s.Ahead }).ToListAsync(ct))
                    (run.Steps[step.Idx].Result, run.Steps[step.Idx].Ahead) = (RunRules.Short(step.Result), step.Ahead);
                run.Published = await db.Set<Storage.Tables.EventRow>().CountAsync(e => e.RunId == row.Id && !e.Internal, ct);
                foreach (var mail in await db.Inbox.AsNoTracking().Where(m => m.RunId == row.Id).OrderBy(m => m.Id).ToListAsync(ct))
                    run.Inbox.Add(new(int.Parse(mail.Payload!["{\"event\":".Length..^1], System.Globalization.CultureInfo.InvariantCulture), mail.Type, mail.TargetStep, mail.ConsumedBy));
                runs.Add(run.Whole(view.Status) + Books(row, view, run));
            }

            lines.Add($"{i}: {string.Join(" | ", runs)}");
        }

        return string.Join("\n", lines);
    }

    /// <summary>The counters of a run's row have to be the sums of what they count, whatever the model says; empty when they are.</summary>
    private static string Books(Storage.Tables.RunRow row, RunView view, ModelRun run)
    {
        var (active, mail) = (view.Steps.Count(s => s.IsActive), run.Inbox.Count(m => m.TakenBy is null));
        return row.Active == active && row.Mail == mail ? "" : $" (counters: active {row.Active}, is {active}; mail {row.Mail}, is {mail})";
    }

    public static string View(RunView view, ModelGraph graph) => Read(view, graph).View(view.Status);

    private static ModelRun Read(RunView view, ModelGraph graph)
    {
        var run = new ModelRun(graph, view.Ref.Id, view.Ref.Number) { Result = view.ResultJson, Over = view.Deadline.ToMicros() == 1 };
        foreach (var step in view.Steps) run.Steps[step.Index] = Read(step);
        return run;
    }

    /// <summary>Whether a delay of the graphs keeps it: each is an hour. A step whose delay was dropped by hand is due a moment after it was queued.</summary>
    public static bool IsLate(StepState step) => step.Due.ToMicros() > step.QueuedAt.ToMicros() + LateMicros;

    private static ModelStepState Read(StepState step) => new()
    {
        Status = step.Status,
        Attempt = step.Attempt,
        Losses = step.Losses,
        Fence = step.Fence ?? 0,
        Expired = step.Fence is not null && step.ExpiresAt.ToMicros() == 1,
        Late = IsLate(step),
        Over = step.Deadline.ToMicros() == 1,
    };

    public async ValueTask DisposeAsync()
    {
        foreach (var broker in brokers) await broker.DisposeAsync();
        await engine.DropAsync();
    }
}
