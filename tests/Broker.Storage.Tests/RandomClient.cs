using System.Collections.Concurrent;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Contracts;
using Broker.Testing;

namespace Broker.Storage.Tests;

/// <summary>
/// One random client: everything that the API offers, in any order, often at the wrong moment. The seed fixes what it does; what it
/// meets depends on the others.
/// </summary>
internal sealed class RandomClient(StoreHarness store, ITestEngine engine, SharedObservations observations, int seed, CancellationToken ct)
{
    private readonly Random random = new(seed);
    private readonly List<Assignment> held = [];

    public async Task PlayAsync(int moves)
    {
        for (var i = 0; i < moves; i++) await MoveAsync();
    }

    private Task MoveAsync() => random.Next(100) switch
    {
        < 30 => ClaimAsync(),
        < 60 => ReportAsync(),
        < 68 => HeartbeatAsync(),
        < 73 => PublishAsync(),
        < 83 => SendAsync(),
        < 88 => ControlAsync(ControlCommand.Pause),
        < 94 => ControlAsync(ControlCommand.Resume),
        < 95 => ControlAsync(ControlCommand.Cancel),
        < 96 => ControlAsync(ControlCommand.Restart),
        < 98 => ExpireAsync(),
        _ => FinishAsync(),
    };

    private (string Workflow, string Id) AnyInstance() => observations.Instances[random.Next(observations.Instances.Count)];

    private async Task ClaimAsync()
    {
        var count = random.Next(1, 4);
        var claim = random.Next(2) == 0
            ? new ClaimRequest($"labelled-{seed}", ClaimScope.ByLabels, random.Next(2) == 0 ? [] : ["gpu"], count)
            : new ClaimRequest(observations.Worker, ClaimScope.ByRegistration, [], count);
        var claimed = await store.Steps.ClaimAsync(claim, ct);
        foreach (var step in claimed)
        {
            if (!observations.Granted.TryAdd(step.Lease, 0)) observations.Faults.Add($"lease {step.Lease} granted twice");
        }

        held.AddRange(claimed);
    }

    private async Task ReportAsync()
    {
        if (held.Count == 0) return;
        var step = held[random.Next(held.Count)];
        var report = random.Next(10) switch
        {
            < 5 => new StepReport(ReportOutcome.Succeeded) { ResultJson = random.Next(3) switch { 0 => "\"yes\"", 1 => "\"no\"", _ => "{\"n\":1.0}" }, Events = [new("T", "{}")] },
            5 => new StepReport(ReportOutcome.Skipped) { ResultJson = "null" },
            6 => new StepReport(ReportOutcome.Returned),
            var other => new StepReport(ReportOutcome.Failed) { Error = new("E", "m"), Retryable = other < 9 },
        };
        if (random.Next(2) == 0) held.Remove(step);
        var verdicts = random.Next(4) == 0
            ? await store.Steps.ReportAsync([new LeaseReport(step.Lease, report), new LeaseReport(step.Lease, report)], ct)
            : await store.Steps.ReportAsync([new LeaseReport(step.Lease, report)], ct);
        foreach (var verdict in verdicts)
        {
            if (verdict is not ReportVerdict.Accepted) continue;
            if (observations.Accepted.AddOrUpdate(step.Lease, 1, (_, n) => n + 1) > 1) observations.Faults.Add($"a second report under {step.Lease} ({step.Step.Name}) was accepted");
            if (report.Outcome is ReportOutcome.Succeeded) observations.Successes.AddOrUpdate((step.Run.Id, step.Step.Index), 1, (_, n) => n + 1);
        }
    }

    private async Task HeartbeatAsync()
    {
        if (held.Count > 0) await store.Steps.HeartbeatAsync([.. held.Select(h => h.Lease)], ct);
    }

    private async Task PublishAsync()
    {
        if (held.Count > 0) await store.Steps.PublishAsync(held[random.Next(held.Count)].Lease, [new("T", "{}"), new("U", "{}", true)], ct);
    }

    private async Task SendAsync()
    {
        var (workflow, id) = AnyInstance();
        var (delivery, number) = (random.Next(4) == 0 ? Delivery.AllWaiting : Delivery.First, observations.NextEvent());
        await store.Runs.SendAsync(workflow, id, random.Next(5) == 0 ? "other" : "go", $"{{\"{delivery}\":{number}}}", null, delivery, ct);
    }

    private Task<(ControlVerdict Verdict, RunRef? Run)> ControlAsync(ControlCommand command)
    {
        var (workflow, id) = AnyInstance();
        return store.Runs.ControlAsync(workflow, id, command, ct);
    }

    private async Task ExpireAsync()
    {
        if (held.Count == 0) return;
        var step = held[random.Next(held.Count)];
        await engine.ExecuteAsync($"UPDATE step SET expires_at = 1 WHERE run_id = {step.Run.Id} AND idx = {step.Step.Index} AND status IN (2, 7)");
        await store.Runs.ExpireLeasesAsync(10, ct);
    }

    private async Task FinishAsync()
    {
        var run = observations.FirstRun + random.Next(observations.Instances.Count);
        await engine.ExecuteAsync($"UPDATE step SET due = queued_at WHERE run_id = {run} AND idx = {random.Next(8)} AND status = 3");
        await store.Runs.FinishDueAsync(10, ct);
    }
}

/// <summary>Instances and observations that the clients of one test share.</summary>
internal sealed class SharedObservations(IReadOnlyList<(string Workflow, string Id)> instances, long firstRun, string worker)
{
    private int events;

    public IReadOnlyList<(string Workflow, string Id)> Instances => instances;

    public long FirstRun => firstRun;

    public string Worker => worker;

    public ConcurrentDictionary<LeaseId, int> Granted { get; } = [];

    public ConcurrentDictionary<LeaseId, int> Accepted { get; } = [];

    public ConcurrentDictionary<(long Run, int Step), int> Successes { get; } = [];

    public ConcurrentBag<string> Faults { get; } = [];

    public int NextEvent() => Interlocked.Increment(ref events);
}
