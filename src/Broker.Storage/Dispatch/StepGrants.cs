using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch;

/// <summary>Steps that one transaction has leased, on their way to the claims.</summary>
internal sealed class StepGrants
{
    private readonly BatchContext batch;
    private readonly ILookup<StepKey, InboxEvent>? inbox;

    public StepGrants(BatchContext batch, IReadOnlyList<ClaimedRow> rows)
    {
        (this.batch, Rows) = (batch, rows);
        Upstream = UpstreamOf(rows);
        inbox = TakeInboxEvents();
    }

    public IReadOnlyList<ClaimedRow> Rows { get; }

    /// <summary>Steps whose results the claims get.</summary>
    public IReadOnlyList<StepKey> Upstream { get; }

    /// <summary>Events that say that the steps run, for runs with a stream.</summary>
    public IEnumerable<Appended> Events() => Rows.Where(row => row.Streams && row.Index < StepDefinition.FirstDynamic).SelectMany(Events);

    /// <summary>Gives each claim its steps, with the results that they build on.</summary>
    public void HandOut(IReadOnlyList<(StepKey Step, string? Result)> results)
    {
        var services = batch.Services;
        var byKey = results.ToDictionary(r => r.Step, r => r.Result);
        foreach (var row in Rows)
        {
            var definition = services.Definitions.Get(row.DefinitionId);
            var finished = new Dictionary<int, string?>();
            foreach (var predecessor in definition.RulesOf(row.Index).Predecessors)
            {
                if (byKey.TryGetValue(new(row.RunId, predecessor), out var result)) finished[predecessor] = result;
            }

            var assignment = row.ToAssignment(definition, finished);
            row.Claim!.Give(inbox is null ? assignment : assignment with { Events = [.. inbox[new(row.RunId, row.Index)]] });
            services.Names.Add(new(row.Workflow, row.InstanceId, row.Number), (row.RunId, row.DefinitionId));
        }
    }

    private IEnumerable<Appended> Events(ClaimedRow row)
    {
        var step = batch.Services.Definitions.Get(row.DefinitionId).RulesOf(row.Index);
        string? input = null;
        foreach (var taken in inbox?[new(row.RunId, row.Index)] ?? [])
        {
            input ??= taken.Type;
            yield return new(row.RunId, StepEvents.QueueChanged(step));
        }

        yield return new(row.RunId, StepEvents.StateChanged(step, "running", row.Worker, input));
    }

    private IReadOnlyList<StepKey> UpstreamOf(IReadOnlyList<ClaimedRow> rows)
    {
        var keys = new HashSet<StepKey>();
        foreach (var row in rows)
        {
            foreach (var predecessor in batch.Services.Definitions.Get(row.DefinitionId).RulesOf(row.Index).Predecessors) keys.Add(new(row.RunId, predecessor));
        }

        return [.. keys];
    }

    private ILookup<StepKey, InboxEvent>? TakeInboxEvents()
    {
        List<(StepKey, string)>? accepted = null;
        foreach (var row in Rows)
        {
            var step = batch.Services.Definitions.Get(row.DefinitionId).RulesOf(row.Index);
            if (!step.TakesEvents) continue;
            foreach (var type in step.Accepts) (accepted ??= []).Add((new(row.RunId, row.Index), type));
        }

        return accepted is null ? null : batch.Transaction.TakeInboxEvents(accepted);
    }
}
