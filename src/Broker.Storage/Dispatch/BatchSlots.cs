using System.Threading.Channels;
using Broker.Storage.Dispatch.Commands;

namespace Broker.Storage.Dispatch;

/// <summary>
/// The slots of a queue's loops: a loop takes one when one is free and a command waits, and sleeps until then. It does not spin: the semaphore and the
/// task that loops waited on before did, which was 10 % of the broker's processor time.
/// </summary>
/// <param name="slots">How many loops may have one at a time.</param>
/// <param name="waiting">The commands.</param>
internal sealed class BatchSlots(int slots, ChannelReader<StoreCommand> waiting)
{
    private readonly object gate = new();
    private int free = slots;
    private int sleeping;
    private bool isWaking;
    private bool isClosed;

    /// <summary>Waits for a slot and a command; false: the queue is closed and empty.</summary>
    public bool Take()
    {
        lock (gate)
        {
            while (free == 0 || waiting.Count == 0)
            {
                if (isClosed && waiting.Count == 0)
                {
                    // A loop that fell asleep after Close is woken by each loop that exits.
                    WakeOne();
                    return false;
                }

                sleeping++;
                Monitor.Wait(gate);
            }

            free--;
            return true;
        }
    }

    public void GiveUp()
    {
        lock (gate)
        {
            free++;
            if (isClosed || waiting.Count > 0) WakeOne();
        }
    }

    /// <summary>
    /// A command was queued. The loop is woken through the thread pool, behind the requests in its queue: their commands join the same transaction.
    /// Measured with 32 workers: woken at once, 5 % fewer steps a second.
    /// </summary>
    public void CommandAdded()
    {
        lock (gate)
        {
            if (free == 0 || sleeping == 0 || isWaking) return;
            isWaking = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(static slots => slots.Wake(), this, preferLocal: false);
    }

    /// <summary>After the last command.</summary>
    public void Close()
    {
        lock (gate)
        {
            isClosed = true;
            sleeping = 0;
            Monitor.PulseAll(gate);
        }
    }

    private void Wake()
    {
        lock (gate)
        {
            isWaking = false;
            WakeOne();
        }
    }

    private void WakeOne()
    {
        if (sleeping == 0) return;
        sleeping--;
        Monitor.Pulse(gate);
    }
}
