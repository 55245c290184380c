namespace Broker.Storage.Dispatch;

/// <summary>The slot of one loop. It may be given up before the transaction ends, and more than once.</summary>
internal sealed class BatchSlot(BatchSlots slots)
{
    private bool held;

    /// <summary>Waits for a slot and a command; false: the queue is closed and empty.</summary>
    public bool Take() => held = slots.Take();

    public void GiveUp()
    {
        if (!held) return;
        held = false;
        slots.GiveUp();
    }
}
