using System.Linq.Expressions;
using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Tables;

namespace Broker.Storage.Stores;

/// <summary>A run without its steps, inputs and context, and what its steps are doing as far as its status asks.</summary>
internal sealed class RunActivity
{
    public required RunRow Run { get; init; }
    public bool Leased { get; init; }
    public bool Claimable { get; init; }
    public bool Pending { get; init; }
    public bool Begun { get; init; }
    public long? FirstBegun { get; init; }

    public RunStatus Status => RunStatuses.Of((RunPhase)Run.Phase, Leased, Claimable, Pending, Begun);
}

/// <summary><see cref="RunStatuses"/> as a question to the database: status filters must not read every run to page through them.</summary>
internal static class HistoryStatus
{
    public static IQueryable<RunActivity> Of(BrokerDb db, long now) => Of(db.Runs, db, now, withResult: true);

    public static IQueryable<RunActivity> Of(IQueryable<RunRow> runs, BrokerDb db, long now, bool withResult) => runs.Select(r => new RunActivity
    {
        Run = new RunRow
        {
            Id = r.Id,
            Workflow = r.Workflow,
            InstanceId = r.InstanceId,
            Number = r.Number,
            IsCurrent = r.IsCurrent,
            DefinitionId = r.DefinitionId,
            Phase = r.Phase,
            Inputs = "{}",
            Result = withResult ? r.Result : null,
            Error = r.Error,
            InstanceCreatedAt = r.InstanceCreatedAt,
            CreatedAt = r.CreatedAt,
            StartedAt = r.StartedAt,
            ResumedAt = r.ResumedAt,
            UpdatedAt = r.UpdatedAt,
            EndedAt = r.EndedAt,
            Priority = r.Priority,
            Tags = r.Tags,
            StartAt = r.StartAt,
            Deadline = r.Deadline,
        },
        Leased = r.Phase == (short)RunPhase.Active && db.Steps.Any(s => s.RunId == r.Id && s.Idx < StepDefinition.FirstDynamic && s.Status == (short)StepStatus.Leased),
        Claimable = r.Phase == (short)RunPhase.Active
            && db.Steps.Any(s => s.RunId == r.Id && s.Idx < StepDefinition.FirstDynamic && (((s.Status == (short)StepStatus.Ready || s.Status == StepRow.Paused) && s.Due <= now) || (s.Status == (short)StepStatus.Waiting && s.Items != null))),
        Pending = r.Phase == (short)RunPhase.Active
            && db.Steps.Any(s => s.RunId == r.Id && s.Idx < StepDefinition.FirstDynamic
                && (s.Status == (short)StepStatus.Waiting
                    || ((s.Status == (short)StepStatus.Ready || s.Status == StepRow.Paused) && s.Due > now && s.BegunAt != null))),
        Begun = r.Phase == (short)RunPhase.Active
            && db.Steps.Any(s => s.RunId == r.Id && s.Idx < StepDefinition.FirstDynamic && s.BegunAt != null && (r.ResumedAt == null || s.GrantedAt == null || s.GrantedAt >= r.ResumedAt)),
        FirstBegun = db.Steps.Where(s => s.RunId == r.Id && s.Idx < StepDefinition.FirstDynamic && (r.FromRun == null || s.BegunAt >= r.CreatedAt)).Min(s => s.BegunAt),
    });

    /// <summary>Runs in any of these statuses.</summary>
    public static Expression<Func<RunActivity, bool>> In(IReadOnlySet<RunStatus> statuses)
    {
        var phases = Enum.GetValues<RunPhase>()
            .Where(p => p is not RunPhase.Active && statuses.Contains(RunStatuses.Of(p, leased: false, claimable: false, pending: false, begun: false)))
            .Select(p => (short)p)
            .ToArray();
        var queued = statuses.Contains(RunStatus.Queued);
        var running = statuses.Contains(RunStatus.Running);
        var waiting = statuses.Contains(RunStatus.Waiting);
        if (!queued && !running && !waiting) return r => phases.Contains(r.Run.Phase);
        if (queued && running && waiting) return r => r.Run.Phase == (short)RunPhase.Active || phases.Contains(r.Run.Phase);
        return r => phases.Contains(r.Run.Phase) || (r.Run.Phase == (short)RunPhase.Active
            && ((running && (r.Leased || (r.Claimable && r.Begun)))
                || (queued && !r.Leased && ((r.Claimable && !r.Begun) || (!r.Claimable && !r.Pending)))
                || (waiting && !r.Leased && !r.Claimable && r.Pending)));
    }
}
