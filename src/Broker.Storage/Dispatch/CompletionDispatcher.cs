using Broker.Storage.Dispatch.Commands;

namespace Broker.Storage.Dispatch;

/// <summary>
/// Callers go on where their work is completed, so that is done on the thread pool, never on a lane's thread; and for some of them together,
/// which spares the pool a queue entry and often a thread's wake-up for each.
/// </summary>
internal static class CompletionDispatcher
{
    private const int Together = 8;

    /// <summary>Completes all of them as their transaction has decided.</summary>
    public static void Complete(List<StoreCommand> commands)
    {
        for (var first = 0; first < commands.Count; first += Together)
        {
            ThreadPool.UnsafeQueueUserWorkItem(
                static part =>
                {
                    foreach (var command in part) command.Complete();
                },
                commands.GetRange(first, Math.Min(Together, commands.Count - first)),
                preferLocal: false);
        }
    }

    /// <summary>Fails one.</summary>
    public static void Fail(StoreCommand command, Exception fault) =>
        ThreadPool.UnsafeQueueUserWorkItem(static failed => failed.command.Fail(failed.fault), (command, fault), preferLocal: false);
}
