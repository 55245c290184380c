using Broker.Operations;
using Broker.Storage.Contracts;
using Polly.Registry;

namespace Broker.Startup;

/// <summary>
/// Runs the start steps before the port opens. When the database cannot be reached, the port opens all the same, and the steps are
/// repeated behind the closed gate until they are done.
/// </summary>
internal sealed partial class StartSequence(
    IServiceProvider services, IEnumerable<IStartStep> steps, IDatabaseFaults faults, IBrokerLock alone, StartGate gate, TimeProvider clock,
    ResiliencePipelineProvider<string> pipelines, IHostApplicationLifetime lifetime, ILogger<StartSequence> log) : IHostedLifecycleService, IDisposable
{
    // A server that accepts connections and never answers counts as away.
    private static readonly TimeSpan ContactTimeout = TimeSpan.FromSeconds(3);

    private readonly TaskCompletionSource reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource away = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource stop = new();
    private Task running = Task.CompletedTask;

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        foreach (var service in services.GetServices<IHostedService>().OfType<IWaitsForStart>()) service.Opened = gate.Opened;
        alone.Take();
        running = pipelines.GetPipeline(RetryPipelines.DatabaseStart).ExecuteAsync(RunOnceAsync, stop.Token).AsTask();
        var first = await Task.WhenAny(running, away.Task, reached.Task, Task.Delay(ContactTimeout, clock, cancellationToken));
        if (first == reached.Task) first = await Task.WhenAny(running, away.Task).WaitAsync(cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        if (first == running) await running;
        else _ = EndWhenRefusedAsync();
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        await stop.CancelAsync();
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        stop.Cancel();
        stop.Dispose();
    }

    private async ValueTask RunOnceAsync(CancellationToken ct)
    {
        try
        {
            await ContactAsync(ct);
            foreach (var step in steps) await step.RunAsync(ct);
            gate.Open();
        }
        catch (Exception fault) when (faults.IsAway(fault) && !ct.IsCancellationRequested)
        {
            LogAway(fault.Message);
            away.TrySetResult();
            throw;
        }
    }

    // Any answer will do: a database that does not exist yet, or has no tables, is made by the steps.
    private async Task ContactAsync(CancellationToken ct)
    {
        try
        {
            await faults.PingAsync(ct);
        }
        catch (Exception answer) when (!ct.IsCancellationRequested && !faults.IsAway(answer))
        {
            // The steps meet the same fault where it is one.
        }

        reached.TrySetResult();
    }

    private async Task EndWhenRefusedAsync()
    {
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (running.Exception?.InnerException is not { } refused || stop.IsCancellationRequested) return;
        gate.Refuse(refused);
        LogRefused(refused.Message);
        lifetime.StopApplication();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The database cannot be reached yet ({Reason}); trying again")]
    private partial void LogAway(string reason);

    [LoggerMessage(Level = LogLevel.Critical, Message = "The broker cannot start: {Reason}")]
    private partial void LogRefused(string reason);
}
