using Broker.Core.Runs;
using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch;

/// <summary>Gives runs that succeed in this transaction their final value, and runs that only wait their idle event.</summary>
internal sealed class RunConcluder(BatchContext batch)
{
    public void Conclude()
    {
        List<(RunSession Session, long Id)>? ended = null, quiet = null;
        foreach (var (id, session) in batch.Sessions)
        {
            if (session is { EndedNow: true, Run.Phase: RunPhase.Succeeded }) (ended ??= []).Add((session, id));
        }

        if (ended is not null) GiveResults(ended);
        foreach (var (id, session) in batch.Sessions)
        {
            if (session.MayBeIdle) (quiet ??= []).Add((session, id));
        }

        if (quiet is not null) AnnounceIdle(quiet);
    }

    private void GiveResults(List<(RunSession Session, long Id)> ended)
    {
        var missing = ended
            .SelectMany(e => e.Session.Run.Definition.ResultSteps.Where(i => e.Session.Find(i) is null).Select(i => new StepKey(e.Id, i)))
            .ToList();
        var stored = missing.Count > 0 ? batch.Transaction.Results(missing).ToLookup(r => r.Step.RunId) : null;
        foreach (var (session, id) in ended)
        {
            var finished = new Dictionary<int, string?>();
            foreach (var index in session.Run.Definition.ResultSteps)
            {
                if (session.Find(index) is { IsFinished: true } step) finished[index] = step.Result;
            }

            foreach (var (step, result) in stored?[id] ?? []) finished[step.Index] = result;
            session.Conclude(FinalValue.Of(session.Run.Definition, finished));
        }
    }

    // Only runs with waits come here, and only those with parallel branches cost an exchange.
    private void AnnounceIdle(List<(RunSession Session, long Id)> quiet)
    {
        var unsure = quiet.Where(q => q.Session.ActiveElsewhere > 0).Select(q => q.Id).ToList();
        var active = unsure.Count > 0 ? batch.Transaction.ActiveIndexes(unsure) : null;
        foreach (var (session, id) in quiet) session.AnnounceIdle(active?[id] ?? []);
    }
}
