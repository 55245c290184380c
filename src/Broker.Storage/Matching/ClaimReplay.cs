using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Catalog;
using Broker.Storage.Dispatch;
using Broker.Storage.Dispatch.Commands;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Matching;

/// <summary>
/// Claims that can be sent again after a lost answer. The fences of such a claim follow from its id and its worker, so the leases
/// themselves remember the claim. There is no further table, and claims without an id cost nothing.
/// </summary>
internal sealed class ClaimReplay(IDatabase database, DefinitionCache definitions)
{
    public static long[] FencesOf(ClaimRequest claim)
    {
        // Under another limit it is another claim: a limited key that guesses the id is not handed the leases of an unlimited one.
        var limit = claim.Workflows is null ? "" : $"\n{ClaimScopes.LimitOf(claim.Workflows)}";
        var fences = new long[claim.Count];
        for (var i = 0; i < fences.Length; i++)
        {
            var digest = SHA256.HashData(Encoding.UTF8.GetBytes($"{claim.WorkerId}\n{claim.ClaimId}\n{i}{limit}"));
            fences[i] = BinaryPrimitives.ReadInt64BigEndian(digest) & (LeaseId.FenceLimit - 1);
        }

        return fences;
    }

    /// <summary>The live leases that were granted to this claim before, in the order of their granting.</summary>
    public async Task<IReadOnlyList<Assignment>> FindAsync(ClaimCommand repeated, CancellationToken ct)
    {
        await using var db = database.CreateContext();
        var (claim, fences) = (repeated.Request, repeated.Fences!);
        var rows = await Granted(db, claim.WorkerId, fences).ToListAsync(ct);
        var granted = new List<Assignment>(rows.Count);
        foreach (var row in rows.OrderBy(r => Array.IndexOf(fences, r.Fence!.Value)))
        {
            var run = await db.Runs.AsNoTracking().SingleAsync(r => r.Id == row.RunId, ct);
            var definition = await definitions.GetAsync(run.DefinitionId, ct);
            var above = definition.RulesOf(row.Idx).Predecessors.ToArray();
            var finished = await db.Steps
                .Where(s => s.RunId == row.RunId && above.Contains(s.Idx) && (s.Status == (short)StepStatus.Succeeded || s.Status == (short)StepStatus.Skipped))
                .ToDictionaryAsync(s => s.Idx, s => s.Result, ct);
            var leased = new ClaimedRow(
                claim.WorkerId, row.Fence!.Value, row.RunId, row.Idx, row.Attempt, row.QueuedAt, row.Due, row.GrantedAt!.Value, row.ExpiresAt!.Value, row.LeaseSecs,
                run.Workflow, run.InstanceId, run.Number, run.DefinitionId, run.Inputs, run.Context, run.Streams, run.TraceParent)
            {
                Deadline = row.Deadline,
                Progress = row.Progress,
                Input = row.Input,
            };
            var assignment = leased.ToAssignment(definition, finished);
            granted.Add(assignment.Step.TakesEvents ? assignment with { Events = await EventsOfAsync(db, row, ct) } : assignment);
        }

        return granted;
    }

    /// <summary>
    /// By the index of leased steps, which begins with the fence. When it walked over the whole index, a held snapshot, which keeps the dead
    /// entries of all leases there, made it 15 ms.
    /// </summary>
    internal static IQueryable<StepRow> Granted(BrokerDb db, string worker, long[] fences) =>
        db.Steps.AsNoTracking().Where(s => s.Status == (short)StepStatus.Leased && s.Worker == worker && s.Fence != null && fences.Contains(s.Fence.Value));

    private static async Task<IReadOnlyList<InboxEvent>> EventsOfAsync(BrokerDb db, StepRow step, CancellationToken ct)
    {
        var rows = await db.Inbox.AsNoTracking().Where(i => i.RunId == step.RunId && i.ConsumedBy == step.Idx).OrderBy(i => i.Id).ToListAsync(ct);
        return rows.ConvertAll(i => new InboxEvent(i.Id, i.Type, i.Payload, i.TargetStep, Instants.FromMicros(i.Id)));
    }
}
