using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Catalog;
using Broker.Storage.Contracts;
using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch;

/// <summary>Writes the notices that subscriptions ask for into the outbox. It runs only where there are wishes.</summary>
internal sealed class NoticeCollector(BatchContext batch, IReadOnlyList<NoticeWish> wishes)
{
    public void Collect()
    {
        // A run that is purged has no notices.
        foreach (var (id, session) in batch.Sessions)
        {
            if (!batch.Changes.Purged.Contains(id)) Collect(batch.Runs[id].Ref, session);
        }

        foreach (var (run, session) in batch.NotedStarts ?? []) Collect(run.Ref, session);
    }

    private void Collect(RunRef run, RunSession session)
    {
        var wanted = NoticeWishes.Of(wishes, run.Workflow);
        if (wanted is NoticeKinds.None) return;
        if (session.EndedNow && wanted.HasFlag(KindOf(session.Run.Phase)))
            Add(run, session, KindOf(session.Run.Phase), session.Run.EndedAt!.Value, null, null, session.Run.Error);
        if (wanted.HasFlag(NoticeKinds.StepPoisoned))
        {
            foreach (var step in session.FailedSteps ?? [])
            {
                if (step.Error?.Name == StepMachine.LeaseExpiredName) Add(run, session, NoticeKinds.StepPoisoned, step.EndedAt!.Value, NameOf(session, step), null, step.Error);
            }
        }

        if (!wanted.HasFlag(NoticeKinds.RunWaits) || !session.Run.Definition.HasWaits) return;
        foreach (var step in session.Inserted)
        {
            if (step.Status is StepStatus.Waiting && session.Run.Definition.RulesOf(step.Index).EventType is { } awaited && session.Run.Definition.Events.IsForPeople(awaited))
                Add(run, session, NoticeKinds.RunWaits, step.BegunAt!.Value, NameOf(session, step), awaited, null);
        }
    }

    private void Add(RunRef run, RunSession session, NoticeKinds kind, DateTimeOffset at, string? step, string? awaited, StepError? error) => (batch.Changes.Outbox ??= []).Add(new OutboxRow
    {
        Kind = (short)OutboxKind.Notice,
        RunId = run.Id,
        Body = JsonColumn.Write(new RunNotice
        {
            Id = $"msg_{Guid.NewGuid():N}",
            Kind = kind,
            Workflow = run.Workflow,
            InstanceId = run.InstanceId,
            Number = run.Number,
            Version = session.Run.Definition.Version,
            At = at,
            Step = step,
            Event = awaited,
            ErrorName = error?.Name,
            ErrorMessage = error is { Message: { Length: > RunNotice.LongestMessage } message } ? message[..RunNotice.LongestMessage] : error?.Message,
        }),
    });

    private static string NameOf(RunSession session, StepState step) => session.Run.Definition.NameOf(step.Index);

    private static NoticeKinds KindOf(RunPhase phase) => phase switch
    {
        RunPhase.Succeeded => NoticeKinds.RunSucceeded,
        RunPhase.Failed => NoticeKinds.RunFailed,
        RunPhase.Cancelled => NoticeKinds.RunCancelled,
        RunPhase.Active or RunPhase.Pausing or RunPhase.Paused => NoticeKinds.None,
    };
}
