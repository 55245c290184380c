using Broker.Core.Steps;
using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch;

/// <summary>Turns what the rules have decided into rows.</summary>
internal sealed class ChangeCollector(BatchContext batch)
{
    private readonly ChangeSet changes = batch.Changes;

    public void Collect()
    {
        if (changes.PurgedInstances.Count > 0) changes.Purged.AddRange(batch.Transaction.RunsOf(changes.PurgedInstances));

        // Lines of a run that is purged go with it.
        if (changes.Purged.Count > 0) changes.Lines.RemoveAll(line => changes.Purged.Contains(line.RunId!.Value));
        foreach (var (id, session) in batch.Sessions)
        {
            var run = batch.Runs[id];
            foreach (var step in session.Inserted) changes.NewSteps.Add(batch.RowOf(run, step));

            // In one order for all transactions: heartbeats lock steps without their run's lock.
            foreach (var step in session.Updated.OrderBy(s => s.Index)) changes.Steps.Add(batch.RowOf(run, step));
            foreach (var taken in session.Consumed) changes.TakenInboxEvents.Add(InboxRowMapper.Taken(id, taken));

            // A purged run leaves no attempts and no stream behind.
            if (!changes.Purged.Contains(id))
            {
                foreach (var attempt in session.EndedAttempts) changes.Attempts.Add(RowOf(id, attempt));
                foreach (var published in session.Published) changes.Events.Add(new(id, published));
            }

            if (!ReferenceEquals(session.Run, run.State) || session.NewContext is not null)
                changes.Runs.Add(new(run with { State = session.Run }, session.NewContext, session.ResultJson));
        }

        if (batch.Services.Notices.All is { Count: > 0 } wishes) new NoticeCollector(batch, wishes).Collect();
    }

    private static StepAttemptRow RowOf(long runId, AttemptEnd attempt) => new()
    {
        RunId = runId,
        Idx = attempt.Step,
        Attempt = attempt.Attempt,
        Outcome = (short)attempt.Outcome,
        Worker = attempt.Worker,
        GrantedAt = attempt.GrantedAt.ToMicros(),
        EndedAt = attempt.EndedAt.ToMicros(),
        Error = StoredError.Write(attempt.Error),
    };
}
