namespace Broker.Http;

/// <summary>
/// A request's slot to read large definitions: one for each core at a time. A read definition takes up to ten times its body until it is
/// stored; a request that waits holds its body alone.
/// </summary>
internal sealed class DefinitionTurn : IDisposable
{
    /// <summary>Smaller bodies wait for no turn.</summary>
    private const long Large = 64 * 1024;

    private static readonly SemaphoreSlim Turns = new(Environment.ProcessorCount);

    private bool taken;

    public async ValueTask EnterAsync(long bodyBytes, CancellationToken ct)
    {
        if (bodyBytes < Large || taken) return;
        await Turns.WaitAsync(ct);
        taken = true;
    }

    public void Dispose()
    {
        if (taken) Turns.Release();
        taken = false;
    }
}
