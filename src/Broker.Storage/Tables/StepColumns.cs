using Microsoft.EntityFrameworkCore.Metadata;

namespace Broker.Storage.Tables;

/// <summary>Columns of the step table by what a hot statement does with them.</summary>
internal static class StepColumns
{
    /// <summary>What a claim returns: all but what it wrote itself and what an end writes.</summary>
    public static TableColumns<StepRow> Claimed(IReadOnlyModel model) => new TableColumns<StepRow>(model).Without(
        nameof(StepRow.Status), nameof(StepRow.Fence), nameof(StepRow.Worker), nameof(StepRow.Ahead), nameof(StepRow.EndedAt), nameof(StepRow.Result), nameof(StepRow.Error));
}
