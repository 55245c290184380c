namespace Broker.Storage.Lanes;

/// <summary>
/// Callers go on where their work is completed, so that is done on the thread pool, never on a lane's thread; and for some of them together,
/// which spares the pool a queue entry and often a thread's wake-up for each.
/// </summary>
internal static class Answers
{
    private const int Together = 8;

    /// <summary>Completes all of them as their transaction has decided.</summary>
    public static void Give(List<Work> works)
    {
        for (var first = 0; first < works.Count; first += Together)
        {
            ThreadPool.UnsafeQueueUserWorkItem(
                static part =>
                {
                    foreach (var work in part) work.Complete();
                },
                works.GetRange(first, Math.Min(Together, works.Count - first)),
                preferLocal: false);
        }
    }

    /// <summary>Fails one.</summary>
    public static void Fail(Work work, Exception fault) =>
        ThreadPool.UnsafeQueueUserWorkItem(static failed => failed.work.Fail(failed.fault), (work, fault), preferLocal: false);
}
