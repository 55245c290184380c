using Broker.Storage.Dispatch.Commands;

namespace Broker.Storage.Dispatch;

/// <summary>
/// Completes commands on the thread pool, so that continuations never block the thread of a batch loop. Eight commands share a work item: that saves queue
/// entries, and often a thread's wake-up for each.
/// </summary>
internal static class CompletionDispatcher
{
    private const int Together = 8;

    /// <summary>Answers the callers of a committed transaction.</summary>
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
