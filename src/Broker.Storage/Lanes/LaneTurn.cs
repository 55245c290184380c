namespace Broker.Storage.Lanes;

/// <summary>A lane's turn to work; it may be given up before the transaction is over, and more than once.</summary>
internal sealed class LaneTurn(SemaphoreSlim turns)
{
    private bool held;

    public void Take()
    {
        if (held) return;
        turns.Wait();
        held = true;
    }

    public void GiveUp()
    {
        if (!held) return;
        held = false;
        turns.Release();
    }
}
