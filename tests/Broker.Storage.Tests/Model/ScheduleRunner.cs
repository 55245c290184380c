using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Contracts;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Tests.Model;

/// <summary>Plays one schedule: real clients on real stores, with a record of each answer.</summary>
internal sealed class ScheduleRunner(BrokerCluster cluster, Schedule schedule, CancellationToken ct)
{
    /// <summary>Far beyond any test: leases end when a schedule says so.</summary>
    private const int LeaseSecs = 36_000;
    private const int MostClosingRounds = 10;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private const int Closer = 99;

    private readonly string prefix = cluster.NextPrefix();
    private readonly Dictionary<int, List<Assignment>> held = schedule.Moves.Select(m => m.Client).Append(Closer).Distinct().ToDictionary(c => c, _ => new List<Assignment>());
    private readonly Lock gate = new();
    private readonly List<Happening> history = [];
    private readonly List<string> faults = [];
    private IReadOnlyList<ModelGraph> graphs = [];
    private long clock;
    private int events;

    /// <summary>The fault, or null.</summary>
    public async Task<string?> PlayAsync()
    {
        graphs = [.. schedule.Graphs.Select(g => ModelGraph.All[g])];
        if (schedule.IsLoose)
        {
            await Task.WhenAll(schedule.Moves.GroupBy(m => m.Client).Select(moves => Task.Run(() => AllAsync(moves.OrderBy(m => m.Round)), ct)));
        }
        else
        {
            foreach (var round in schedule.Moves.GroupBy(m => m.Round).OrderBy(g => g.Key))
                await Task.WhenAll(round.Select(move => Task.Run(() => MakeAsync(move), ct)));
        }

        if (faults.Count == 0) await GuardedAsync("in the end", CloseAsync);
        var fault = faults.Count > 0 ? string.Join("\n", faults) : HistoryCheck.Explain(new ModelState(graphs), Prepared());
        if (fault is null)
        {
            foreach (var i in Enumerable.Range(0, graphs.Count)) await cluster.Nodes[0].Runs.ControlAsync(graphs[i].Name, Id(i), ControlCommand.Purge, ct);
        }
        else
        {
            await cluster.WipeAsync(ct);
        }

        return fault;
    }

    private string Id(int instance) => $"{prefix}-{instance}";

    private async Task AllAsync(IEnumerable<Move> moves)
    {
        foreach (var move in moves) await MakeAsync(move);
    }

    private Task MakeAsync(Move move) => GuardedAsync($"client {move}", () => MakeAsync(move, cluster.Nodes[move.Client % cluster.Nodes.Count]));

    // No schedule may meet an exception: everything that a client can do has an answer.
    private async Task GuardedAsync(string what, Func<Task> act)
    {
        try
        {
            await act();
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            lock (gate) faults.Add($"{what}: {fault}");
        }
    }

    private Task MakeAsync(Move move, BrokerNode to) => move.Kind switch
    {
        MoveKind.Start => StartAsync(move, to),
        MoveKind.Claim => ClaimAsync(move.Client, to, move.A % 2 == 0, move.A % 3 == 0, 1 + (move.B % 3), move.A % 4 == 0 ? graphs[move.B % graphs.Count].Name : null),
        MoveKind.Report => HasLease(move) is { } step ? ReportAsync(move, to, step) : Task.CompletedTask,
        MoveKind.ReportByName => HasLease(move) is { } step ? ReportByNameAsync(move, to, step) : Task.CompletedTask,
        MoveKind.Heartbeat => HasLease(move) is { } step ? HeartbeatAsync(move, to, step) : Task.CompletedTask,
        MoveKind.Publish => HasLease(move) is { } step ? PublishAsync(move, to, step) : Task.CompletedTask,
        MoveKind.Send => SendAsync(move, to),
        MoveKind.Pause => ControlAsync(move, to, ControlCommand.Pause),
        MoveKind.Resume => ControlAsync(move, to, ControlCommand.Resume),
        MoveKind.Cancel => ControlAsync(move, to, ControlCommand.Cancel),
        MoveKind.Restart => ControlAsync(move, to, ControlCommand.Restart),
        MoveKind.Purge => ControlAsync(move, to, ControlCommand.Purge),
        MoveKind.ExpireLease => HasLease(move) is { } step ? ExpireLeaseAsync(move.Client, step.Lease) : Task.CompletedTask,
        MoveKind.TimeOut => HasLease(move) is { } step ? TimeOutAsync(move.Client, step.Lease) : Task.CompletedTask,
        MoveKind.TimeOutReady => TimeOutReadyAsync(move),
        MoveKind.TimeOutRun => TimeOutRunAsync(move),
        MoveKind.Unrecord => HasLease(move) is { } step ? UnrecordAsync(move.Client, step.Lease) : Task.CompletedTask,
        MoveKind.Reap => ReapAsync(move.Client, to),
        MoveKind.MakeDue => MakeDueAsync(move),
        MoveKind.FinishDue => FinishDueAsync(move.Client, to),
        MoveKind.Hand => HandAsync(move, to),
        MoveKind.Look => LookAsync(move, to),
    };

    private int Instance(Move move) => move.A % graphs.Count;

    /// <summary>One of the client's leases, more often a late one: most of them are not current any more.</summary>
    private Assignment? HasLease(Move move) => held[move.Client] is { Count: > 0 } mine ? mine[^(1 + (move.A % Math.Min(mine.Count, 3)))] : null;

    private int InstanceOf(Assignment step) => int.Parse(step.Run.InstanceId[(prefix.Length + 1)..], System.Globalization.CultureInfo.InvariantCulture);

    private async Task TellAsync<T>(int client, Func<Task<T>> act, params Func<T, Happening>[] tell)
    {
        var begin = Interlocked.Increment(ref clock);
        var answer = await act().WaitAsync(Patience, ct);
        var end = Interlocked.Increment(ref clock);
        lock (gate) history.AddRange(tell.Select(t => t(answer) with { Client = client, Begin = begin, End = end }));
    }

    private Task StartAsync(Move move, BrokerNode to)
    {
        var mode = move.B switch { < 8 => StartMode.NewInstance, < 60 => StartMode.NextRun, _ => StartMode.Continue };
        var start = new StartRequest(cluster.Definition(schedule.Graphs[Instance(move)]), Id(Instance(move))) { Mode = mode, Streams = Instance(move) == 0 };
        return TellAsync(move.Client, async () => (await to.Runs.StartAsync([start], ct))[0],
            outcome => new Started(Instance(move), mode, outcome.Verdict, outcome.Run?.Id ?? 0, outcome.Run?.Number ?? 0));
    }

    private Task ClaimAsync(int client, BrokerNode to, bool byLabels, bool gpu, int count, string? limit = null)
    {
        var worker = byLabels ? $"labelled-{client}" : cluster.Worker(client);
        var claim = new ClaimRequest(worker, byLabels ? ClaimScope.ByLabels : ClaimScope.ByRegistration, byLabels && gpu ? ["gpu"] : [], count, LeaseSecs) { Workflows = limit is null ? null : [limit] };
        return TellAsync(client, async () =>
        {
            var steps = await to.Steps.ClaimAsync(claim, ct);
            lock (gate) held[client].AddRange(steps);
            return steps;
        },
        steps => Got(claim, steps));
    }

    private Task ReportAsync(Move move, BrokerNode to, Assignment step)
    {
        var result = ((move.B / 10) % 3) switch { 0 => "\"yes\"", 1 => "\"no\"", _ => "7" };
        var report = (move.B % 10) switch
        {
            < 4 => new StepReport(ReportOutcome.Succeeded) { ResultJson = result },
            4 => new StepReport(ReportOutcome.Postponed) { DelayMs = 3_600_000 },
            5 => new StepReport(ReportOutcome.Skipped) { ResultJson = result = "null" },
            6 => new StepReport(ReportOutcome.Returned),
            7 => new StepReport(ReportOutcome.Cancelled),
            var other => new StepReport(ReportOutcome.Failed) { Error = new("E", "m"), Retryable = other == 8 },
        } with
        { Events = [new("T", "{}")] };
        Func<ReportVerdict, Happening> Told() => verdict => new Reported(step.Run.Id, step.Step.Index, step.Lease.Fence, report.Outcome, report.Retryable, result, verdict);
        if (move.B is >= 60 and < 85) return ReportAndClaimAsync(move, to, step, report, Told());
        if (move.B < 85) return TellAsync(move.Client, async () => (await to.Steps.ReportAsync([new LeaseReport(step.Lease, report)], ct))[0], Told());
        return TellAsync(move.Client, () => to.Steps.ReportAsync([new LeaseReport(step.Lease, report), new LeaseReport(step.Lease, report)], ct), v => Told()(v[0]), v => Told()(v[1]));
    }

    private Task ReportAndClaimAsync(Move move, BrokerNode to, Assignment step, StepReport report, Func<ReportVerdict, Happening> told)
    {
        var claim = new ClaimRequest($"labelled-{move.Client}", ClaimScope.ByLabels, [], 1 + (move.B % 3), LeaseSecs);
        return TellAsync(move.Client, async () =>
        {
            var outcome = await to.Steps.ReportAsync([new LeaseReport(step.Lease, report)], claim, ct);
            lock (gate) held[move.Client].AddRange(outcome.Claimed);
            return outcome;
        },
        outcome => told(outcome.Verdicts[0]), outcome => Got(claim, outcome.Claimed));
    }

    private static Claimed Got(ClaimRequest claim, IReadOnlyList<Assignment> steps) => new(
        claim.WorkerId, claim.Scope is ClaimScope.ByLabels, claim.Labels.Count > 0, claim.Workflows?[0], claim.Count, [.. steps.Select(s => new Grant(
            s.Run.Id, s.Step.Index, s.Lease.Fence, s.Attempt, string.Concat(s.Upstream.Select(u => $"[{u.Step}={RunRules.Short(u.ResultJson)}]"))))]);

    private Task ReportByNameAsync(Move move, BrokerNode to, Assignment step)
    {
        var report = new StepReport(ReportOutcome.Succeeded) { ResultJson = "8", Events = [new("T", "{}")] };
        return TellAsync(move.Client, () => to.Steps.ReportAsync(new NamedReport(step.WorkerId, step.Run.Workflow, step.Run.WorkerInstanceId, step.Step.Name, report), ct),
            verdict => new ReportedByName(InstanceOf(step), step.Run.Number, step.Step.Index, step.WorkerId, "8", verdict));
    }

    private Task HeartbeatAsync(Move move, BrokerNode to, Assignment step) => TellAsync(move.Client, async () => (await to.Steps.HeartbeatAsync([step.Lease], ct))[0],
        verdict => new Beat(step.Run.Id, step.Step.Index, step.Lease.Fence, verdict));

    private Task PublishAsync(Move move, BrokerNode to, Assignment step) => TellAsync(move.Client, () => to.Steps.PublishAsync(step.Lease, [new("T", "{}")], ct),
        accepted => new PublishedUnder(step.Run.Id, step.Step.Index, step.Lease.Fence, accepted));

    private Task SendAsync(Move move, BrokerNode to)
    {
        var (graph, number, type) = (graphs[Instance(move)], Interlocked.Increment(ref events), move.B % 8 == 0 ? "other" : "go");
        var delivery = move.B % 4 == 1 ? Delivery.AllWaiting : Delivery.First;
        var waits = Enumerable.Range(0, graph.Steps.Length).Where(i => graph.Steps[i].WaitsFor is not null).ToList();
        int? target = move.B % 5 == 2 && waits.Count > 0 ? waits[move.B % waits.Count] : null;
        return TellAsync(move.Client,
            () => to.Runs.SendAsync(graph.Name, Id(Instance(move)), type, $$"""{"event":{{number}}}""", target is { } step ? graph.Steps[step].Name : null, delivery, ct),
            answer => new Sent(Instance(move), number, type, target, delivery, answer.Verdict, answer.Before));
    }

    private Task ControlAsync(Move move, BrokerNode to, ControlCommand command) => ControlAsync(move.Client, to, Instance(move), command);

    private Task ControlAsync(int client, BrokerNode to, int instance, ControlCommand command) => TellAsync(client,
        () => to.Runs.ControlAsync(graphs[instance].Name, Id(instance), command, ct),
        answer => new Controlled(instance, command, answer.Verdict, command is ControlCommand.Restart ? answer.Run?.Id ?? 0 : 0));

    private Task ExpireLeaseAsync(int client, LeaseId lease) => TellAsync(client, () => cluster.ChangeAsync(
            lease.RunId, $"UPDATE step SET expires_at = 1 WHERE run_id = {lease.RunId} AND idx = {lease.Step} AND fence = {lease.Fence} AND expires_at IS NOT NULL", ct),
        changed => new LeaseExpired(lease.RunId, lease.Step, lease.Fence, changed > 0));

    private Task TimeOutAsync(int client, LeaseId lease) => TellAsync(client, () => cluster.ChangeAsync(lease.RunId, $"""
            UPDATE step SET deadline = 1, expires_at = 1
            WHERE run_id = {lease.RunId} AND idx = {lease.Step} AND fence = {lease.Fence} AND status = 2 AND deadline IS NOT NULL
            """, ct),
        changed => new TimedOut(lease.RunId, lease.Step, lease.Fence, changed > 0));

    private async Task TimeOutReadyAsync(Move move)
    {
        if (await CurrentAsync(move) is not { } run) return;
        var step = move.B % graphs[Instance(move)].Steps.Length;
        await TellAsync(move.Client, () => cluster.ChangeAsync(
                run, $"UPDATE step SET deadline = 1 WHERE run_id = {run} AND idx = {step} AND status IN (1, 8) AND deadline IS NOT NULL", ct),
            changed => new QueueTimedOut(run, step, changed > 0));
    }

    private async Task TimeOutRunAsync(Move move)
    {
        if (await CurrentAsync(move) is not { } run) return;
        await TellAsync(move.Client, () => cluster.ChangeAsync(run, $"UPDATE run SET deadline = 1 WHERE id = {run} AND deadline IS NOT NULL", ct),
            changed => new RunTimedOut(run, changed > 0));
    }

    private async Task<long?> CurrentAsync(Move move) => (await FindAsync(move))?.Id;

    private async Task<RunRef?> FindAsync(Move move) => (await cluster.Nodes[0].History.FindAsync(graphs[Instance(move)].Name, Id(Instance(move)), null, ct))?.Ref;

    private Task UnrecordAsync(int client, LeaseId lease) => TellAsync(client, () => cluster.ChangeAsync(
            lease.RunId, $"UPDATE step SET ahead = true WHERE run_id = {lease.RunId} AND idx = {lease.Step} AND fence = {lease.Fence} AND status = 2", ct),
        changed => new Unrecorded(lease.RunId, lease.Step, lease.Fence, changed > 0));

    private async Task MakeDueAsync(Move move)
    {
        if (await CurrentAsync(move) is { } run) await MakeDueAsync(move.Client, run, move.B % graphs[Instance(move)].Steps.Length);
    }

    private Task MakeDueAsync(int client, long run, int step) => TellAsync(client, () => cluster.ChangeAsync(run, $"""
            UPDATE step SET due = queued_at, rank = CASE WHEN rank > queued_at THEN queued_at ELSE rank END
            WHERE run_id = {run} AND idx = {step} AND status IN (1, 3, 8) AND due > queued_at + {BrokerCluster.LateMicros}
            """, ct),
        changed => new MadeDue(run, step, changed > 0));

    private Task ReapAsync(int client, BrokerNode to) => TellAsync(client, () => to.Runs.ExpireLeasesAsync(100, ct), count => new Reaped(count));

    private Task FinishDueAsync(int client, BrokerNode to) => TellAsync(client, () => to.Runs.FinishDueAsync(100, ct), count => new Timed(count));

    /// <summary>The step of the client's own lease, by turns with any step of the current run.</summary>
    private async Task HandAsync(Move move, BrokerNode to)
    {
        var lease = move.B % 2 == 0 ? HasLease(move) : null;
        if ((lease?.Run ?? await FindAsync(move)) is not { } run) return;
        var instance = lease is null ? Instance(move) : InstanceOf(lease);
        var step = lease?.Step.Index ?? move.B % graphs[instance].Steps.Length;
        var order = new HandOrder((HandAction)(move.B / 2 % 5), "\"no\"", new("E", "m"));
        await TellAsync(move.Client, () => to.Runs.ByHandAsync(run, graphs[instance].Steps[step].Name, (_, _, _) => order, ct),
            verdict => new Ordered(instance, run.Number, step, order.Action, order.ResultJson, verdict));
    }

    private Task LookAsync(Move move, BrokerNode to) => TellAsync(move.Client, () => to.History.FindAsync(graphs[Instance(move)].Name, Id(Instance(move)), null, ct),
        view => new Looked(Instance(move), view is null ? null : BrokerCluster.View(view, graphs[Instance(move)])));

    /// <summary>Drives everything to its end, alone, so that every answer has to be complete: nothing that was lost on the way can hide.</summary>
    private async Task CloseAsync()
    {
        var to = cluster.Nodes[0];
        await SettledAsync();
        for (var round = 0; schedule.IsDriven && round <= MostClosingRounds; round++)
        {
            var open = new List<RunView>();
            for (var i = 0; i < graphs.Count; i++)
            {
                if (await to.History.FindAsync(graphs[i].Name, Id(i), null, ct) is { IsTerminal: false } view) open.Add(view);
            }

            if (open.Count == 0)
            {
                if (round > 0) await SettledAsync();
                return;
            }

            if (round == MostClosingRounds) faults.Add($"Runs do not end:\n{await cluster.ObserveAsync(graphs, Id, ct)}");

            foreach (var view in open)
            {
                foreach (var step in view.Steps.Where(s => s is { Status: StepStatus.Leased }))
                    await ExpireLeaseAsync(Closer, LeaseId.Create(view.Ref.Id, step.Index, step.Fence!.Value));
                foreach (var step in view.Steps.Where(s => s.Status is StepStatus.Ready or StepStatus.Waiting && BrokerCluster.IsLate(s))) await MakeDueAsync(Closer, view.Ref.Id, step.Index);
                if (view.Status is RunStatus.Paused) await ControlAsync(Closer, to, Enumerable.Range(0, graphs.Count).Single(i => Id(i) == view.Ref.InstanceId), ControlCommand.Resume);
            }

            await ReapAsync(Closer, to);
            await FinishDueAsync(Closer, to);
            held[Closer].Clear();
            await ClaimAsync(Closer, to, byLabels: true, gpu: true, 20);
            await ClaimAsync(Closer, to, byLabels: false, gpu: false, 20);
            foreach (var step in held[Closer].ToList()) await ReportAsync(new(Closer, 0, MoveKind.Report, 0, 20), to, step);
        }
    }

    private Task SettledAsync() => TellAsync(Closer, () => cluster.ObserveAsync(graphs, Id, ct), whole => new Settled(whole));

    private List<Happening> Prepared()
    {
        var prepared = new List<Happening>();
        foreach (var happening in history)
        {
            var alone = !history.Any(o => !ReferenceEquals(o, happening) && o.Begin < happening.End && happening.Begin < o.End);
            var (inner, rest) = happening switch
            {
                Reaped reaped => (Enumerable.Repeat<Happening>(new Collected { IsAlone = alone }, reaped.Count), alone ? new NothingExpired() : null),
                Timed timed => (Enumerable.Repeat<Happening>(new Finished(), timed.Count), alone ? new NothingDue() : (Happening?)null),
                _ => ([happening with { IsAlone = alone }], null),
            };
            prepared.AddRange(inner.Concat(rest is null ? [] : [rest]).Select(h => h with { Client = happening.Client, Begin = happening.Begin, End = happening.End }));
        }

        return prepared;
    }
}
