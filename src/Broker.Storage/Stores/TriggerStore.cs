using Broker.Core.Definitions;
using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

internal sealed class TriggerStore(IPageReads pages) : ITriggerStore
{
    public async Task<IReadOnlyList<StoredTrigger>> OfTypeAsync(string type, (string Workflow, int Place)? after, int most, CancellationToken ct) => await pages.RunAsync(
        db =>
        {
            var of = db.Triggers.AsNoTracking().Where(t => t.Type == type);
            if (after is var (workflow, place)) of = of.Where(t => string.Compare(t.Workflow, workflow) > 0 || (t.Workflow == workflow && t.Place > place));
            return of.OrderBy(t => t.Workflow).ThenBy(t => t.Place).Take(most).Select(t => new StoredTrigger(t.Workflow, t.Place, t.Spec)).ToListAsync(ct);
        },
        ct);

    /// <summary>Makes what a definition that is the latest of its name now starts by itself what it says, in the transaction that makes it so.</summary>
    /// <param name="db">The transaction.</param>
    /// <param name="workflow">Its name.</param>
    /// <param name="definition">Null: the workflow has none any longer.</param>
    /// <param name="now">The store's clock.</param>
    /// <param name="ct">Gives up.</param>
    internal static async Task FollowAsync(BrokerDb db, string workflow, WorkflowDefinition? definition, long now, CancellationToken ct)
    {
        await ScheduleStore.FollowAsync(db, workflow, definition?.Schedules ?? [], now, ct);
        var (triggers, before) = (definition?.Triggers ?? [], await db.Triggers.AsNoTracking().Where(t => t.Workflow == workflow).OrderBy(t => t.Place).Select(t => t.Spec).ToListAsync(ct));
        if (before.SequenceEqual(triggers.Select(t => t.SpecJson))) return;
        await db.Triggers.Where(t => t.Workflow == workflow).ExecuteDeleteAsync(ct);
        db.Triggers.AddRange(triggers.Select((trigger, place) => new TriggerRow { Workflow = workflow, Place = place, Type = trigger.Type, Spec = trigger.SpecJson }));
        await db.SaveChangesAsync(ct);
    }
}
