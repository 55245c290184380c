namespace Broker.Cli;

/// <summary>Exit codes of the command line. docs/cli.md has the table.</summary>
internal static class ExitCodes
{
    public const int Succeeded = 0;

    /// <summary>The run failed.</summary>
    public const int Failed = 1;

    /// <summary>The command line is not understood, or a value is refused.</summary>
    public const int Usage = 2;
    public const int NotFound = 3;

    /// <summary>The run was cancelled.</summary>
    public const int Cancelled = 4;

    /// <summary>The run goes on and the time of <c>--timeout</c> is over.</summary>
    public const int StillRunning = 5;

    /// <summary>The key is missing, unknown or lacks a scope.</summary>
    public const int Refused = 6;
    public const int Unreachable = 7;

    /// <summary>The state does not allow it.</summary>
    public const int Conflict = 8;

    /// <summary>Interrupted; the run goes on.</summary>
    public const int Interrupted = 130;

    /// <summary>The code of a problem's HTTP status.</summary>
    public static int OfStatus(int status) => status switch
    {
        401 or 403 => Refused,
        404 or 410 => NotFound,
        409 => Conflict,
        >= 500 => Unreachable,
        _ => Usage,
    };

    /// <summary>The code of an ended run; <see cref="StillRunning"/> for any other.</summary>
    public static int OfRun(string status) => status switch
    {
        "succeeded" => Succeeded,
        "failed" => Failed,
        "cancelled" => Cancelled,
        _ => StillRunning,
    };
}
