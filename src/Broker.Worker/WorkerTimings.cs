namespace Broker.Worker;

/// <summary>Pauses and limits without a setting; tests shorten them.</summary>
internal sealed record WorkerTimings
{
    public TimeSpan RetryFirst { get; init; } = TimeSpan.FromMilliseconds(300);
    public TimeSpan RetryMost { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Any request but the claim, which may also wait for work.</summary>
    public TimeSpan Request { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Pause after a claim that came back empty at once; jitter adds up to the same again.</summary>
    public TimeSpan IdlePause { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan CancelCheck { get; init; } = TimeSpan.FromSeconds(2);
    public TimeSpan LogInterval { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>For the last output of a command that has ended, while another process holds its pipe.</summary>
    public TimeSpan LastOutput { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Between checks of a worker that can start no commands; each pause is twice the one before.</summary>
    public TimeSpan CheckFirst { get; init; } = TimeSpan.FromSeconds(1);
    public TimeSpan CheckMost { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A check that takes longer has failed.</summary>
    public TimeSpan Check { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>From SIGTERM to SIGKILL.</summary>
    public TimeSpan Kill { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>After this long without a broker, the lease has expired and another worker has the job.</summary>
    public TimeSpan ReportLimit { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>For the last log lines of a command that was stopped.</summary>
    public TimeSpan StoppedLogs { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>For reports and hand-backs that are still on their way when the grace time is over.</summary>
    public TimeSpan LastReports { get; init; } = TimeSpan.FromSeconds(5);
}
