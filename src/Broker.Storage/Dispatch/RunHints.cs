using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Signals;

namespace Broker.Storage.Dispatch;

/// <summary>Hints about the runs of a transaction, for watchers of lists.</summary>
internal readonly struct RunHints(ChangeHints hints)
{
    public void Note(BatchContext batch, IReadOnlyList<ClaimedRow> granted)
    {
        foreach (var (id, session) in batch.Sessions)
        {
            if (batch.Runs.TryGetValue(id, out var run)) Note(run.Ref.Workflow, run.Ref.InstanceId);
            if (session is { EndedNow: true, Run.Phase: RunPhase.Failed }) hints.Note("failures");
            if (session.Run.Definition.HasWaits) hints.Note("waiting");
        }

        foreach (var run in batch.Changes.NewRuns) Note(run.Workflow, run.InstanceId);
        if (batch.Changes.NewSteps.Exists(step => step.Status == (short)StepStatus.Waiting)) hints.Note("waiting");
        foreach (var row in granted) Note(row.Workflow, row.InstanceId);
        if (batch.ReadySteps.Count > 0 || granted.Count > 0) hints.Note("queues");
        if (granted.Count > 0) hints.Note("workers");
    }

    private void Note(string workflow, string instance)
    {
        hints.Note("runs");
        hints.Note($"runs:{workflow}");
        hints.Note($"run:{workflow}/{instance}");
    }
}
