namespace Broker.Storage.Dispatch;

/// <summary>A lane's turn to work; it may be given up before the transaction is over, and more than once.</summary>
internal sealed class BatchSlot(BatchSlots turns)
{
    private bool held;

    /// <summary>Waits for it, and for work; false when no more will come.</summary>
    public bool Take() => held = turns.Take();

    public void GiveUp()
    {
        if (!held) return;
        held = false;
        turns.GiveUp();
    }
}
