using System.Security.Cryptography;
using Broker.Auth;
using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Contracts;

namespace Broker.Engine;

internal sealed partial class BrokerEngine
{
    /// <summary>Characters of an instance id that the broker makes: letters and digits, as every dialect allows.</summary>
    public const int InstanceIdLength = 10;

    private const string IdAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    // Signals are hints: a lost one costs a waiter that long.
    private static readonly TimeSpan LongestLook = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan CheapLook = TimeSpan.FromMilliseconds(10);

    public static string NewInstanceId() => RandomNumberGenerator.GetString(IdAlphabet, InstanceIdLength);

    /// <summary>Why the starts of a workflow are refused, for people.</summary>
    public string StartsPaused(string workflow) =>
        $"The starts of workflow '{workflow}' are paused by an operator{(holds.OfStarts(workflow)?.Reason is { } reason ? $": {reason}" : "")}";

    /// <summary>Starts one run.</summary>
    public async Task<StartOutcome> StartAsync(StartRequest start, CancellationToken ct) => (await StartAsync([start], ct))[0];

    /// <summary>Starts all in one transaction, with inputs that their definitions take; one outcome each. Refused inputs of one start none.</summary>
    public async Task<IReadOnlyList<StartOutcome>> StartAsync(IReadOnlyList<StartRequest> starts, CancellationToken ct)
    {
        foreach (var start in starts) Caller.Current.Demand(start.Definition.Name);
        if (starts.Any(start => holds.OfStarts(start.Definition.Name) is not null)) return [.. starts.Select(_ => new StartOutcome(StartVerdict.StartsPaused, null, Now))];
        starts = [.. starts.Select(WithInputs)];

        // A start under a key may be a repeated one, of a time when the definition took these inputs: the store knows.
        if (starts.Any(start => start is { InputProblems.Count: > 0, Key: null }))
            return [.. starts.Select(start => new StartOutcome(StartVerdict.InputsRefused, null, Now) { Problems = start.InputProblems })];
        var outcomes = backlog.IsLimited ? await backlog.StartAsync(starts, runs, Now, ct) : await runs.StartAsync(starts, ct);
        foreach (var outcome in outcomes)
        {
            if (outcome is not { Verdict: StartVerdict.Started, Replayed: false, Run: { } run }) continue;
            LogStarted(log, run.Workflow, run.InstanceId, run.Number);
            await audit.NoteAsync("start", run.Workflow, run.InstanceId);
        }

        return outcomes;
    }

    private static StartRequest WithInputs(StartRequest start)
    {
        var inputs = StartInputs.Judge(start);
        return inputs.Problems.Count > 0 ? start with { InputProblems = inputs.Problems }
            : ReferenceEquals(inputs.InputsJson, start.InputsJson) ? start
            : start with { InputsJson = inputs.InputsJson };
    }

    /// <summary>Steers the current run of an instance. For Restart the outcome names the new run.</summary>
    /// <param name="workflow">Its workflow.</param>
    /// <param name="instanceId">Which one.</param>
    /// <param name="command">The command.</param>
    /// <param name="ct">Gives up.</param>
    /// <param name="action">The dialect's own word for it, for the audit trail.</param>
    /// <param name="number">Only this run of the instance.</param>
    /// <param name="grace">Cancel: time for steps that clean up.</param>
    /// <param name="reason">Why, for the audit trail.</param>
    /// <param name="item">The item of an action on many runs that this does.</param>
    public async Task<(ControlVerdict Verdict, RunRef? Run)> ControlAsync(
        string workflow, string instanceId, ControlCommand command, CancellationToken ct, string? action = null, int? number = null, TimeSpan grace = default,
        string? reason = null, BulkItemKey? item = null)
    {
        if (!Caller.Current.Knows(workflow)) return (ControlVerdict.UnknownRun, null);
        var outcome = await runs.ControlAsync(workflow, instanceId, command, ct, number, grace, item);
        LogControlled(log, command, workflow, instanceId, outcome.Verdict);
        if (outcome.Verdict is ControlVerdict.Done) await audit.RecordAsync(action ?? ActionOf(command), workflow, instanceId, reason);
        return outcome;
    }

    /// <summary>Retries a run, or forks it into a new instance. Inputs of a fork are judged by the definition of the earlier run.</summary>
    public async Task<RerunOutcome> RerunAsync(RerunRequest request, CancellationToken ct, string? reason = null, BulkItemKey? item = null)
    {
        if (!Caller.Current.Knows(request.Workflow)) return new(RerunVerdict.UnknownRun);
        if (request.InputsJson is { } inputs)
        {
            if (await FindRunAsync(request.Workflow, request.InstanceId, ct, request.Number) is not { } earlier) return new(RerunVerdict.UnknownRun);
            var start = WithInputs(new StartRequest(earlier.Definition, request.ForkInto ?? request.InstanceId) { InputsJson = inputs });
            if (start.InputProblems.Count > 0) return new(RerunVerdict.InputsRefused) { Problems = start.InputProblems };
            request = request with { InputsJson = start.InputsJson };
        }

        var outcome = await runs.RerunAsync(request, ct, item);
        if (outcome is { Verdict: RerunVerdict.Started, Run: { } run })
        {
            LogStarted(log, run.Workflow, run.InstanceId, run.Number);
            await audit.RecordAsync(request.ForkInto is null ? "retry" : "fork", run.Workflow, run.InstanceId, reason);
        }

        return outcome;
    }

    /// <summary>An operator's order about one step.</summary>
    public async Task<HandVerdict> ByHandAsync(RunRef run, string step, Func<StepDefinition, WorkflowDefinition, DateTimeOffset, HandOrder> order, string action, string reason, CancellationToken ct)
    {
        if (!Caller.Current.Knows(run.Workflow)) return HandVerdict.UnknownRun;
        var verdict = await runs.ByHandAsync(run, step, order, ct);
        if (verdict is HandVerdict.Done) await audit.RecordAsync(action, run.Workflow, run.InstanceId, $"{step}: {reason}");
        return verdict;
    }

    private static string ActionOf(ControlCommand command) => command switch
    {
        ControlCommand.Cancel => "cancel",
        ControlCommand.Pause => "pause",
        ControlCommand.Resume => "resume",
        ControlCommand.Restart => "restart",
        ControlCommand.Purge => "purge",
    };

    /// <summary>Stores an event for the current run and gives it to the waits that want it. Returns the status before.</summary>
    public async Task<(SendVerdict Verdict, RunStatus Before)> SendAsync(
        string workflow, string instanceId, string type, string? payloadJson, string? targetStep, Delivery delivery, CancellationToken ct, string? eventId = null)
    {
        if (!Caller.Current.Knows(workflow)) return (SendVerdict.UnknownRun, default);
        var outcome = await runs.SendAsync(workflow, instanceId, type, payloadJson, targetStep, delivery, ct, eventId);
        LogSent(log, type, workflow, instanceId, outcome.Verdict);
        return outcome;
    }

    /// <summary>The current run of an instance (or the numbered one) with its reached steps; null when there is none.</summary>
    public Task<RunView?> FindRunAsync(string workflow, string instanceId, CancellationToken ct, int? number = null) =>
        History.FindAsync(workflow, instanceId, number, ct);

    /// <summary>By instance id alone: the newest instance with that id, or exactly <c>WORKFLOW~ID</c>.</summary>
    public async Task<RunView?> FindRunAsync(string handlerId, CancellationToken ct)
    {
        if (await History.FindByInstanceAsync(handlerId, ct) is { } found) return found;
        var tilde = handlerId.LastIndexOf('~');
        return tilde > 0 ? await History.FindAsync(handlerId[..tilde], handlerId[(tilde + 1)..], null, ct) : null;
    }

    /// <summary>
    /// Waits until the run has ended, whichever broker ends it, or the time is up: then it is given as it stands. Null when it was purged
    /// meanwhile or the host stops.
    /// </summary>
    public async Task<RunView?> WaitForEndAsync(RunRef run, CancellationToken ct, TimeSpan? limit = null)
    {
        var until = Now + limit;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct, Stopping);
        using var changed = changes.Subscribe(Topics.Run(run.Id));
        while (true)
        {
            var looked = clock.GetTimestamp();
            var view = await history.FindAsync(run.Workflow, run.InstanceId, run.Number, ct);
            var cost = clock.GetElapsedTime(looked);

            // A purged instance may have been started anew under the same name and number: that is another run.
            if (view is null || view.Ref.Id != run.Id) return null;
            if (view.IsTerminal || until <= Now) return view;
            try
            {
                await changed.WaitAsync(Within(LongestLook, until), stop.Token);

                // Each step of a run signals a change, and each look reads all steps. The pause keeps the looks to a tenth of the time.
                if (cost > CheapLook) await Task.Delay(Within(cost * 9, until), clock, stop.Token);
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                return null;
            }
        }
    }

    private TimeSpan Within(TimeSpan longest, DateTimeOffset? until) =>
        until - Now is { } left && left < longest ? (left > TimeSpan.Zero ? left : TimeSpan.Zero) : longest;

    [LoggerMessage(Level = LogLevel.Information, Message = "Started {Workflow}/{Instance}, run {Number}")]
    private static partial void LogStarted(ILogger logger, string workflow, string instance, int number);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Command} {Workflow}/{Instance}: {Verdict}")]
    private static partial void LogControlled(ILogger logger, ControlCommand command, string workflow, string instance, ControlVerdict verdict);

    [LoggerMessage(Level = LogLevel.Information, Message = "Event {Type} for {Workflow}/{Instance}: {Verdict}")]
    private static partial void LogSent(ILogger logger, string type, string workflow, string instance, SendVerdict verdict);
}
