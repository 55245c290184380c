using System.Diagnostics;
using Broker.Storage.Contracts;

namespace Broker.Storage.Diagnostics;

/// <summary>
/// One span for each transaction of the hot path. It stands in the trace of the first caller that is being traced, and is linked to the
/// others that shared it. Without a listener it costs one comparison a call.
/// </summary>
internal static class StorageTracing
{
    private static readonly ActivitySource Source = new(StorageInstruments.Traces);

    /// <summary>The request under way, where traces are recorded.</summary>
    public static Activity? Caller => Source.HasListeners() ? Activity.Current : null;

    public static Activity? Begin(IReadOnlyList<ITraced> commands)
    {
        if (!Source.HasListeners()) return null;
        ActivityContext parent = default;
        List<ActivityLink>? links = null;
        foreach (var command in commands)
        {
            if (command.Caller is not { Recorded: true } caller) continue;
            if (parent == default) parent = caller.Context;
            else (links ??= []).Add(new(caller.Context));
        }

        var span = Source.StartActivity("transaction", ActivityKind.Client, parent, links: links);
        span?.SetTag("broker.batch.size", commands.Count);
        return span;
    }

    public static void Fail(this Activity? span, Exception fault) => span?.SetStatus(ActivityStatusCode.Error, fault.Message);
}
