using Broker.Core.Runs;
using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch;

/// <summary>Starts that are sent again: found by their key before the rules decide, and stored in the same transaction.</summary>
internal sealed class StartKeyLookup(IBatchTransaction transaction, ChangeSet changes)
{
    private IReadOnlyList<StartKeyRow> stored = [];

    /// <summary>Asks the database only when there is a key.</summary>
    public void Load(IReadOnlyList<StartRequest> starts)
    {
        List<string>? keys = null;
        foreach (var start in starts)
        {
            if (start.Key is { } key) (keys ??= []).Add(key.Id);
        }

        if (keys is not null) stored = transaction.StartKeys(keys);
    }

    /// <summary>The earlier start's outcome, a refusal if that was another request, or null when there was none.</summary>
    public StartOutcome? Find(StartKey? key)
    {
        if (key is null) return null;

        // Also those of this transaction: duplicates that arrive together share it.
        var row = stored.FirstOrDefault(k => k.Key == key.Id) ?? changes.StartKeys.Find(k => k.Key == key.Id);
        if (row is null) return null;
        var at = Instants.FromMicros(row.At);
        if (row.Request != key.Request) return new(StartVerdict.KeyReused, null, at);
        return new((StartVerdict)row.Verdict, new RunRef(row.RunId, row.Workflow, row.InstanceId, row.Number), at) { Replayed = true };
    }

    /// <summary>Remembers what took effect. A refusal is not kept: the cause may be gone when the start is sent again.</summary>
    public StartOutcome Keep(StartKey? key, StartOutcome outcome)
    {
        var keeps = outcome.Verdict is StartVerdict.Started || (outcome.Verdict is StartVerdict.StillActive && key is { KeepsStanding: true });
        if (key is null || !keeps || outcome.Run is not { } run) return outcome;
        changes.StartKeys.Add(new StartKeyRow
        {
            Key = key.Id,
            Request = key.Request,
            Verdict = (short)outcome.Verdict,
            RunId = run.Id,
            Workflow = run.Workflow,
            InstanceId = run.InstanceId,
            Number = run.Number,
            At = outcome.At.ToMicros(),
        });
        return outcome;
    }
}
