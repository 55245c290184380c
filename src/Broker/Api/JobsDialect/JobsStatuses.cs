using Broker.Core.Definitions;
using Broker.Core.Graphs;
using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Api.JobsDialect;

/// <summary>A job of a run: its status word, and its row if it was reached.</summary>
internal readonly record struct JobState(string Status, StepState? State)
{
    /// <summary>When the present attempt was claimed (or the wait began); null while it is queued.</summary>
    public DateTimeOffset? StartedAt => State switch
    {
        null or { Status: StepStatus.Ready } => null,
        { GrantedAt: { } granted } => granted >= State.QueuedAt ? granted : null,
        _ => State.BegunAt,
    };

    /// <summary>Whole seconds from start to success or final failure.</summary>
    public long? DurationSecs =>
        State is { Status: StepStatus.Succeeded or StepStatus.Failed, EndedAt: { } ended } && StartedAt is { } started
            ? Math.Max(0, (long)(ended - started).TotalSeconds)
            : null;

    /// <summary>The error text of a failed job.</summary>
    public string? Output => State is { Status: StepStatus.Failed, Error: { } error } ? error.Message : null;

    public int Attempt => State?.Attempt ?? 0;
}

/// <summary>This dialect's status words, a total function of the core's states.</summary>
internal static class JobsStatuses
{
    public const string Queued = "queued";
    public const string Running = "running";
    public const string Success = "success";
    public const string Failure = "failure";
    public const string Skipped = "skipped";
    public const string Cancelled = "cancelled";

    public static readonly string[] All = [Queued, Running, Success, Failure, Skipped, Cancelled];

    /// <summary>Every job of a run, in order of definition.</summary>
    public static JobState[] Of(WorkflowDefinition definition, RunStatus status, IReadOnlyList<StepState> reached)
    {
        var board = StepBoard.Of(definition, status, reached);

        // A job that a failure had skipped before the cancel keeps its status; only what could still have started is cancelled.
        var before = status is RunStatus.Cancelled
            ? StepBoard.Of(definition, RunStatus.Running, reached.Where(s => s.Status is not StepStatus.Cancelled))
            : board;
        var jobs = new JobState[board.Length];
        for (var i = 0; i < jobs.Length; i++)
        {
            var word = board[i].State is { } state ? Word(state.Status)
                : before[i].Fate is Fate.Dead ? Skipped
                : Word(board[i].Fate);
            jobs[i] = new(word, board[i].State);
        }

        return jobs;
    }

    public static string Word(StepStatus status) => status switch
    {
        StepStatus.Pending or StepStatus.Ready => Queued,
        StepStatus.Leased or StepStatus.Waiting => Running,
        StepStatus.Succeeded => Success,
        StepStatus.Skipped or StepStatus.NotRun => Skipped,
        StepStatus.Failed => Failure,
        StepStatus.Cancelled => Cancelled,
    };

    /// <summary>A run as a whole.</summary>
    public static string OfRun(RunStatus status) => status switch
    {
        RunStatus.Queued => Queued,
        RunStatus.Running or RunStatus.Waiting or RunStatus.Pausing or RunStatus.Paused => Running,
        RunStatus.Succeeded => Success,
        RunStatus.Failed => Failure,
        RunStatus.Cancelled => Cancelled,
    };

    private static string Word(Fate unreached) => unreached switch
    {
        Fate.Reached or Fate.Open => Queued,
        Fate.Dead => Cancelled,
        Fate.NotTaken => Skipped,
    };
}
