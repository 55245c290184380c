using Broker.Auth;
using Broker.Core.Runs;

namespace Broker.Operators;

/// <summary>Actions on a run, and why one is not allowed now: what the routes that perform them would answer.</summary>
internal static class RunActions
{
    public const string Cancel = "cancel", Pause = "pause", Resume = "resume", Restart = "restart", Retry = "retry", Fork = "fork", Terminate = "terminate", Delete = "delete", SendEvent = "send_event", Tag = "tag";

    /// <summary>Why a retry that names no steps is not allowed.</summary>
    public const string NothingFailed = "No step of the run failed or was cancelled: name the steps that are to run again.";

    /// <summary>Why a command to an older run is not allowed.</summary>
    public const string NotNewest = "It is not the instance's newest run.";

    public static IReadOnlyList<RunAction> Of(RunView run, bool isNewest) =>
    [
        .. ((string[])[Cancel, Pause, Resume, Restart, Retry, Fork, Terminate, Delete, SendEvent]).Select(action =>
            WhyNot(action, run, isNewest) is { } reason ? new RunAction(action, Allowed: false, reason) : new RunAction(action, Allowed: true)),
    ];

    private static string? WhyNot(string action, RunView run, bool isNewest)
    {
        var scope = ScopeOf(action);
        if (!Caller.Current.May(scope)) return $"The key lacks the scope {ScopeWords.Of(scope)[0]}.";
        if (action == Fork && !Caller.Current.May(Scope.Create)) return "The key lacks the scope create.";
        return isNewest || action == Fork ? WhyNot(action, run.Status) : NotNewest;
    }

    /// <summary>Why the status does not allow the action; null when it does.</summary>
    public static string? WhyNot(string action, RunStatus status)
    {
        var isOver = status is RunStatus.Succeeded or RunStatus.Failed or RunStatus.Cancelled;
        return action switch
        {
            Restart or Fork or Delete or Tag => null,
            Retry => status is RunStatus.Succeeded ? NothingFailed
                : isOver ? null : $"The run is {RunWords.Of(status)}: a retry takes one that has ended.",
            _ when isOver => $"The run has ended ({RunWords.Of(status)}).",
            Pause when status is RunStatus.Pausing or RunStatus.Paused => $"The run is {RunWords.Of(status)}.",
            Resume when status is not RunStatus.Paused => $"The run is {RunWords.Of(status)}, not paused.",
            _ => null,
        };
    }

    /// <summary>The scope that the action takes.</summary>
    public static Scope ScopeOf(string action) => action switch
    {
        SendEvent => Scope.Event,
        Delete => Scope.Delete,
        _ => Scope.Manage,
    };
}
