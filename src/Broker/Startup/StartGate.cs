using Broker.Operations;

namespace Broker.Startup;

/// <summary>Closed until every <see cref="IStartStep"/> is done: requests are answered with 503 and background services wait.</summary>
internal sealed class StartGate : IReadiness
{
    public const string Reason = "The broker is starting: it waits for its database.";

    private readonly TaskCompletionSource opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool IsOpen => opened.Task.IsCompletedSuccessfully;

    public Task Opened => opened.Task;

    /// <summary>Why the start failed after the port had opened; null when it did not.</summary>
    public Exception? Refusal { get; private set; }

    public void Open() => opened.TrySetResult();

    public void Refuse(Exception why) => Refusal = why;

    public Task<string?> FaultAsync(CancellationToken ct) => Task.FromResult(IsOpen ? null : Reason);
}

/// <summary>A background service that does nothing before the gate is open.</summary>
internal interface IWaitsForStart
{
    Task Opened { set; }
}
