using Microsoft.EntityFrameworkCore.Metadata;

namespace Broker.Storage.Tables;

/// <summary>Columns of the run table by what a hot statement does with them.</summary>
internal sealed class RunColumns(IReadOnlyModel model)
{
    /// <summary>All of them.</summary>
    public TableColumns<RunRow> All { get; } = new(model);

    /// <summary>Columns that the rules need: all but the payloads and those that only answers about the instance show.</summary>
    public TableColumns<RunRow> Loaded => All.Without(
        nameof(RunRow.Inputs), nameof(RunRow.Context), nameof(RunRow.StartContext), nameof(RunRow.Result), nameof(RunRow.TraceParent), nameof(RunRow.Tags), nameof(RunRow.LimitMs),
        nameof(RunRow.FromRun), nameof(RunRow.InstanceCreatedAt));

    /// <summary>The key, and all that changes after the start.</summary>
    public TableColumns<RunRow> Changing => All.Without(
        nameof(RunRow.Workflow), nameof(RunRow.InstanceId), nameof(RunRow.Number), nameof(RunRow.IsCurrent), nameof(RunRow.DefinitionId), nameof(RunRow.Streams),
        nameof(RunRow.Inputs), nameof(RunRow.StartContext), nameof(RunRow.TraceParent), nameof(RunRow.Priority), nameof(RunRow.Tags), nameof(RunRow.StartAt), nameof(RunRow.LimitMs),
        nameof(RunRow.FromRun), nameof(RunRow.InstanceCreatedAt), nameof(RunRow.CreatedAt));

    /// <summary>Columns that a worker needs with its step.</summary>
    public TableColumns<RunRow> Assigned => Claimed.Without(
        nameof(RunRow.IsCurrent), nameof(RunRow.Active), nameof(RunRow.CreatedAt), nameof(RunRow.StartedAt), nameof(RunRow.ResumedAt), nameof(RunRow.UpdatedAt));

    /// <summary>The same with what a cache of runs needs. It keeps none that have a priority, a later start or a deadline, as a cancelling one has.</summary>
    public TableColumns<RunRow> Claimed => All.Without(
        nameof(RunRow.Id), nameof(RunRow.Phase), nameof(RunRow.Joins), nameof(RunRow.Mail), nameof(RunRow.StartContext), nameof(RunRow.Result), nameof(RunRow.Error),
        nameof(RunRow.Priority), nameof(RunRow.Tags), nameof(RunRow.StartAt), nameof(RunRow.LimitMs), nameof(RunRow.Deadline), nameof(RunRow.CancelledAt),
        nameof(RunRow.FromRun), nameof(RunRow.InstanceCreatedAt), nameof(RunRow.EndedAt));
}
