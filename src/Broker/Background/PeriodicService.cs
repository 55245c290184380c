using Broker.Operations.Metrics;
using Broker.Startup;

namespace Broker.Background;

/// <summary>A loop that owns only its timing: the work is <see cref="RunOnceAsync"/>, which tests and the runner tick call too.</summary>
internal abstract partial class PeriodicService(TimeSpan interval, TimeProvider clock, ILogger log) : BackgroundService, IWaitsForStart
{
    /// <summary>Pause between two rounds.</summary>
    protected TimeSpan BetweenRounds { get; } = interval;

    /// <summary>The first round waits for it.</summary>
    public Task Opened { protected get; set; } = Task.CompletedTask;

    /// <summary>Does one round of the work that is due; returns how much that was. Safe on several brokers at once.</summary>
    internal abstract Task<int> RunOnceAsync(CancellationToken ct);

    /// <summary>Repeats what does up to a batch at a time until it has done less than one; returns how much that was in all.</summary>
    protected static async Task<int> DrainAsync(int batch, Func<int, CancellationToken, Task<int>> some, CancellationToken ct)
    {
        var (all, done) = (0, 0);
        do
        {
            done = await some(batch, ct);
            all += done;
        }
        while (done == batch);
        return all;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Lets the host go on starting: the first round may be slow.
        await Task.Yield();
        await Opened.WaitAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (stoppingToken.IsCancellationRequested) return;
        var name = GetType().Name;
        using var timer = new PeriodicTimer(BetweenRounds, clock);
        do
        {
            try
            {
                var done = await RunOnceAsync(stoppingToken);
                HostMetrics.Round(name);
                if (done > 0) LogRound(log, name, done);
            }
            catch (Exception fault) when (!stoppingToken.IsCancellationRequested)
            {
                HostMetrics.FailedRound(name);
                LogFailed(log, fault, name);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
        while (await NextAsync(timer, stoppingToken));
    }

    /// <summary>Waits for the next round; false when the host stops.</summary>
    protected virtual async Task<bool> NextAsync(PeriodicTimer timer, CancellationToken ct)
    {
        try
        {
            return await timer.WaitForNextTickAsync(ct);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Service}: {Done} done")]
    private static partial void LogRound(ILogger logger, string service, int done);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Service}: a round failed and is tried again")]
    private static partial void LogFailed(ILogger logger, Exception fault, string service);
}
