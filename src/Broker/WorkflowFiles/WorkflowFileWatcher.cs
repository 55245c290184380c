using Broker.Operations.Metrics;
using Broker.Settings;
using Broker.Startup;
using Broker.Storage.Contracts;

namespace Broker.WorkflowFiles;

/// <summary>
/// Reads the folder again when the system reports a change there, and every few seconds. Notices can be lost, are missing on some file
/// systems, and do not cover a folder that another one replaces.
/// </summary>
internal sealed partial class WorkflowFileWatcher(WorkflowFileSync files, BrokerSettings settings, ILogger<WorkflowFileWatcher> log) : BackgroundService, IWaitsForStart
{
    private static readonly TimeSpan Rescan = TimeSpan.FromSeconds(2);

    /// <summary>A save is several changes: the look comes when none has followed for that long, or at the latest after the rescan's time.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(150);

    private readonly SemaphoreSlim noticed = new(0, 1);
    private Task opened = Task.CompletedTask;
    private FileSystemWatcher? watcher;
    private string? watched;

    Task IWaitsForStart.Opened { set => opened = value; }

    public override void Dispose()
    {
        watcher?.Dispose();
        noticed.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Lets the host go on starting.
        await Task.Yield();
        try
        {
            await opened.WaitAsync(stoppingToken);
            while (true)
            {
                Watch();
                if (await noticed.WaitAsync(Rescan, stoppingToken)) await SettleAsync(stoppingToken);
                await LookAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    private async Task SettleAsync(CancellationToken ct)
    {
        for (var waited = TimeSpan.Zero; waited < Rescan; waited += Quiet)
        {
            if (!await noticed.WaitAsync(Quiet, ct)) return;
        }
    }

    private async Task LookAsync(CancellationToken ct)
    {
        try
        {
            await files.LookAsync(Console.Error, ct);
            HostMetrics.Round(nameof(WorkflowFileWatcher));
        }
        catch (Exception fault) when (!ct.IsCancellationRequested)
        {
            HostMetrics.FailedRound(nameof(WorkflowFileWatcher));
            LogFailed(log, fault);
        }
    }

    // The watcher takes the real path: after a swap of a link it would otherwise watch the old folder for ever.
    private void Watch()
    {
        try
        {
            var real = Directory.Exists(settings.WorkflowsDir) ? RegularFile.RealPathOf(settings.WorkflowsDir) : null;
            if (real == watched) return;
            watcher?.Dispose();
            (watcher, watched) = (null, real);
            if (real is not null) watcher = Watching(real);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // The system may have no inotify instance left; the rescans remain.
            LogNotWatched(log, settings.WorkflowsDir, fault.Message);
        }
    }

    private FileSystemWatcher Watching(string folder)
    {
        var watching = new FileSystemWatcher(folder)
        {
            NotifyFilter = NotifyFilters.FileName | NotifyFilters.DirectoryName | NotifyFilters.LastWrite | NotifyFilters.Size | NotifyFilters.Attributes,
        };
        watching.Changed += Notice;
        watching.Created += Notice;
        watching.Deleted += Notice;
        watching.Renamed += Notice;
        watching.Error += Notice;
        watching.EnableRaisingEvents = true;
        return watching;
    }

    private void Notice(object sender, EventArgs what)
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

    [LoggerMessage(Level = LogLevel.Warning, Message = "The workflow files could not be registered; the next scan tries again")]
    private static partial void LogFailed(ILogger logger, Exception fault);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Folder} is not watched, and is scanned every 2 s: {Reason}")]
    private static partial void LogNotWatched(ILogger logger, string folder, string reason);
}
