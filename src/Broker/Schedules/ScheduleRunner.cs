using Broker.Auth;
using Broker.Core.Runs;
using Broker.Core.Schedules;
using Broker.Engine;
using Broker.Operations.Metrics;
using Broker.Storage.Contracts;

namespace Broker.Schedules;

/// <summary>
/// Serves schedules that are due. It leases them, starts the runs of their instants, and writes what it did. A broker that is killed in between leaves runs under the
/// ids of their instants. The next round finds them, and starts none of them again.
/// </summary>
internal sealed partial class ScheduleRunner(IScheduleStore schedules, BrokerEngine engine, ScheduleStarter starter, IChangeHints hints, ILogger<ScheduleRunner> log)
{
    /// <summary>Schedules of one round, at most.</summary>
    public const int Batch = 100;

    /// <summary>A schedule whose round was cut off, or whose database failed, is looked at again after this.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);

    /// <summary>Between two looks at a run that an instant waits for.</summary>
    public static readonly TimeSpan Look = TimeSpan.FromSeconds(2);

    /// <summary>Serves a batch; returns how many were due.</summary>
    public async Task<int> RunOnceAsync(CancellationToken ct)
    {
        Caller.Current = Caller.Broker;
        var owner = Guid.NewGuid().ToString("N");
        var turn = await schedules.TakeAsync(owner, Batch, Lease, ct);
        foreach (var schedule in turn.Schedules)
        {
            try
            {
                await ServeAsync(schedule, owner, turn.Now, ct);
            }
            catch (Exception fault) when (!ct.IsCancellationRequested)
            {
                // The others go on; this one is tried again once its lease has expired.
                LogFailed(log, fault, schedule.Name);
            }
        }

        return turn.Schedules.Count;
    }

    private async Task ServeAsync(StoredSchedule schedule, string owner, DateTimeOffset now, CancellationToken ct)
    {
        var rule = ScheduleReader.OfStored(schedule.SpecJson);
        var round = RuleInstants.Of(rule, schedule.Name, out var refusal) is { } instants
            ? await new ScheduleServing(schedules, engine, starter, schedule, rule).ServeAsync(instants, now, ct)
            : new ScheduleRound { Base = schedule.Base, DisabledBecause = refusal };
        if (!await schedules.EndAsync(schedule, owner, round, ct)) return;
        foreach (var firing in round.Firings.Where(firing => firing.Phase is not FiringPhase.Waiting)) HostMetrics.Fired(firing.Phase is FiringPhase.Started ? "started" : firing.Reason!, firing.Count);
        if (refusal is not null && schedule.DisabledBecause is null) LogDisabled(log, schedule.Name, refusal);
        if (round.Pause is { } note) LogPaused(log, schedule.Name, note);
        if ((round.Firings.Count > 0 || refusal is not null) && hints.IsWatched) hints.Note("schedules");
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Schedule {Schedule} could not be served and is tried again")]
    private static partial void LogFailed(ILogger logger, Exception fault, string schedule);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Schedule {Schedule} is disabled: {Reason}")]
    private static partial void LogDisabled(ILogger logger, string schedule, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Schedule {Schedule} is paused: {Note}")]
    private static partial void LogPaused(ILogger logger, string schedule, string note);
}

/// <summary>One schedule in one round.</summary>
internal sealed class ScheduleServing(IScheduleStore schedules, BrokerEngine engine, ScheduleStarter starter, StoredSchedule schedule, ScheduleRule rule)
{
    private readonly List<Firing> firings = [];
    private string? last = schedule.LastInstance;
    private string? pause;
    private bool? isRunning;

    public async Task<ScheduleRound> ServeAsync(IInstants instants, DateTimeOffset now, CancellationToken ct)
    {
        var isPaused = schedule.PausedAt is not null;
        var waiting = 0;
        foreach (var firing in await schedules.WaitingAsync(schedule.Name, OverlapRule.MostWaiting, ct))
        {
            // A pause holds what the schedule has queued, and not a backfill that was asked for.
            if (isPaused && firing.Kind is FiringKind.Planned) continue;
            if (await DecideAsync(firing, firing.Overlap ?? rule.Overlap, waiting, ct) is FiringPhase.Waiting) waiting++;
        }

        var plan = isPaused ? null : FiringPlan.Make(instants, rule, schedule.Name, schedule.Base, schedule.PausedUntil, now);
        foreach (var span in plan?.Skipped ?? []) firings.Add(Of(span));
        foreach (var nominal in plan?.Fire ?? [])
        {
            var firing = new Firing { Kind = FiringKind.Planned, Phase = FiringPhase.Waiting, Nominal = nominal };
            if (await DecideAsync(firing, rule.Overlap, waiting, ct) is FiringPhase.Waiting) waiting++;
        }

        return new()
        {
            Base = plan?.Base ?? schedule.Base,
            DueAt = Earliest(pause is null ? plan?.NextAt : null, waiting > 0 ? now + ScheduleRunner.Look : null),
            Pause = pause,
            LastInstance = last == schedule.LastInstance ? null : last,
            Firings = firings,
        };
    }

    private async Task<FiringPhase> DecideAsync(Firing firing, Overlap overlap, int waiting, CancellationToken ct)
    {
        var running = (overlap is not Overlap.Allow || rule.PauseOnFailure) && await IsRunningAsync(ct);
        if (pause is not null)
        {
            firings.Add(ScheduleStarter.Skipped(firing, SkipReasons.Failure));
            return FiringPhase.Skipped;
        }

        switch (OverlapRule.Decide(overlap, running, waiting, out var reason))
        {
            case FiringAction.Wait:
                if (firing.Id == 0) firings.Add(firing);
                return FiringPhase.Waiting;
            case FiringAction.Skip:
                firings.Add(ScheduleStarter.Skipped(firing, reason!));
                return FiringPhase.Skipped;
            case FiringAction.CancelAndStart:
                await engine.ControlAsync(schedule.Workflow, last!, ControlCommand.Cancel, ct, reason: $"the next run of schedule '{schedule.Name}' begins");
                break;
            case FiringAction.Start:
                break;
        }

        var ended = await starter.StartAsync(schedule, rule, firing, FiringId.Of(schedule.Name, firing.Nominal), ct);
        firings.Add(ended);
        if (ended.Phase is FiringPhase.Started) (last, isRunning) = (ended.Instance, null);
        return ended.Phase;
    }

    // Asks once for each run that the schedule has started last.
    private async Task<bool> IsRunningAsync(CancellationToken ct)
    {
        if (isRunning is { } known) return known;
        var run = last is null ? null : await engine.FindRunAsync(schedule.Workflow, last, ct);
        if (rule.PauseOnFailure && run is { Status: RunStatus.Failed } && last == schedule.LastInstance && !(schedule.LastAt < schedule.UpdatedAt)) pause = $"the run '{last}' has failed";
        isRunning = run is { IsTerminal: false };
        return isRunning.Value;
    }

    private static Firing Of(SkippedSpan span) => new()
    {
        Kind = FiringKind.Planned,
        Phase = FiringPhase.Skipped,
        Nominal = span.From,
        Until = span.Until == span.From ? null : span.Until,
        Count = span.Count,
        IsCapped = span.IsCapped,
        Reason = span.Reason,
    };

    private static DateTimeOffset? Earliest(DateTimeOffset? one, DateTimeOffset? other) => one is null || other < one ? other ?? one : one;
}
