using Broker.Auth;
using Broker.Engine;
using Broker.Operations;
using Broker.Operations.Metrics;
using Broker.Startup;
using Broker.Storage.Contracts;
using Broker.WorkflowFiles;
using Polly;
using Polly.Registry;

namespace Broker.Background;

/// <summary>
/// Repeats the database part of the start in a new epoch, after a failover or a restore. It reads the keys, registers workflow files or
/// the sample, and counts waiting runs. Caches drop their entries by themselves.
/// </summary>
internal sealed partial class EpochFollower : BackgroundService, IWaitsForStart
{
    private readonly IStoreEpoch epoch;
    private readonly ApiKeyCache keys;
    private readonly BacklogGate backlog;
    private readonly WorkflowFileRegistration files;
    private readonly ResiliencePipeline retry;
    private readonly ILogger<EpochFollower> log;
    private readonly SemaphoreSlim noticed = new(1, 1);
    private Task opened = Task.CompletedTask;

    public EpochFollower(
        IStoreEpoch epoch, ApiKeyCache keys, BacklogGate backlog, WorkflowFileRegistration files, ResiliencePipelineProvider<string> pipelines, ILogger<EpochFollower> log)
    {
        (this.epoch, this.keys, this.backlog, this.files, this.log) = (epoch, keys, backlog, files, log);
        retry = pipelines.GetPipeline(RetryPipelines.EpochFollow);
        epoch.Changed += Notice;
    }

    Task IWaitsForStart.Opened { set => opened = value; }

    public override void Dispose()
    {
        epoch.Changed -= Notice;
        base.Dispose();
        noticed.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Lets the host go on starting.
        await Task.Yield();
        try
        {
            await opened.WaitAsync(stoppingToken);
            for (var followed = 0; ; await noticed.WaitAsync(stoppingToken))
            {
                while (epoch.Number is var number && number != followed)
                {
                    await retry.ExecuteAsync(FollowAsync, stoppingToken);
                    followed = number;
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    private async ValueTask FollowAsync(CancellationToken ct)
    {
        try
        {
            await keys.RefreshAsync(ct);
            await files.RegisterAsync(Console.Error, ct);
            if (backlog.IsLimited) await backlog.CountAsync(ct);
            HostMetrics.Round(nameof(EpochFollower));
        }
        catch (Exception fault) when (!ct.IsCancellationRequested)
        {
            HostMetrics.FailedRound(nameof(EpochFollower));
            LogFailed(log, fault);
            throw;
        }
    }

    // The thread that found the new epoch calls this, so it must not wait.
    private void Notice()
    {
        try
        {
            if (noticed.CurrentCount == 0) noticed.Release();
        }
        catch (Exception fault) when (fault is SemaphoreFullException or ObjectDisposedException)
        {
            // Two notices at once, or one after the end.
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Keys and workflow files could not be read in the new epoch; the broker tries again in a second")]
    private static partial void LogFailed(ILogger logger, Exception fault);
}
