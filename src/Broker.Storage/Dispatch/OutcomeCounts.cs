using Broker.Core.Runs;
using Broker.Storage.Diagnostics;

namespace Broker.Storage.Dispatch;

/// <summary>Counts the runs that a committed transaction ended, and the steps that failed in it.</summary>
internal static class OutcomeCounts
{
    public static void Add(BatchContext batch)
    {
        foreach (var (_, session) in batch.Sessions) Add(session, batch.Services.Labels);
        foreach (var (_, session) in batch.NotedStarts ?? []) Add(session, batch.Services.Labels);
    }

    private static void Add(RunSession session, WorkflowLabels labels)
    {
        if (!session.EndedNow && session.FailedSteps is null) return;
        var workflow = new KeyValuePair<string, object?>("workflow", labels.Of(session.Run.Definition.Name));
        if (session.EndedNow) StorageMetrics.RunsEnded.Add(1, workflow, new("status", StatusOf(session.Run.Phase)));
        if (session.FailedSteps is { } failed) StorageMetrics.StepsFailed.Add(failed.Count, workflow);
    }

    private static string StatusOf(RunPhase phase) => phase switch
    {
        RunPhase.Succeeded => "succeeded",
        RunPhase.Failed => "failed",
        RunPhase.Cancelled => "cancelled",
        RunPhase.Active or RunPhase.Pausing or RunPhase.Paused => "active",
    };
}
