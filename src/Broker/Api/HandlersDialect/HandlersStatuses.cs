using Broker.Core.Runs;

namespace Broker.Api.HandlersDialect;

/// <summary>The four words of this dialect (handlers contract 13).</summary>
internal static class HandlersStatuses
{
    public const string Running = "running";

    public static string Of(RunStatus status) => status switch
    {
        RunStatus.Queued or RunStatus.Running or RunStatus.Waiting or RunStatus.Pausing or RunStatus.Paused => Running,
        RunStatus.Succeeded => "completed",
        RunStatus.Failed => "failed",
        RunStatus.Cancelled => "cancelled",
    };
}
