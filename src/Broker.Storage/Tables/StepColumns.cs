using Microsoft.EntityFrameworkCore.Metadata;

namespace Broker.Storage.Tables;

/// <summary>Columns of the step table by what a hot statement does with them.</summary>
internal static class StepColumns
{
    /// <summary>Columns that the rules load and write: all but the progress, which only heartbeats write and which may be large, and those that never change.</summary>
    public static TableColumns<TRow> Ruled<TRow>(IReadOnlyModel model)
        where TRow : StepRow => Inserted<TRow>(model).Without(Dynamic);

    /// <summary>Columns of a new row.</summary>
    public static TableColumns<TRow> Inserted<TRow>(IReadOnlyModel model)
        where TRow : StepRow => new TableColumns<TRow>(model).Without(nameof(StepRow.Progress));

    /// <summary>Columns of dynamic steps, and the kind of a map: written with the row, and never again.</summary>
    public static readonly string[] Dynamic = [nameof(StepRow.Name), nameof(StepRow.Kind), nameof(StepRow.Input)];

    /// <summary>Columns that a claim returns: all but those that it wrote itself and those that an end writes. No cache keeps a step with a deadline.</summary>
    public static TableColumns<StepRow> Claimed(IReadOnlyModel model) => new TableColumns<StepRow>(model).Without(
        nameof(StepRow.Status), nameof(StepRow.Fence), nameof(StepRow.Worker), nameof(StepRow.Ahead), nameof(StepRow.EndedAt), nameof(StepRow.TotalDeadline), nameof(StepRow.AttemptMs),
        nameof(StepRow.Name), nameof(StepRow.Kind), nameof(StepRow.Items), nameof(StepRow.Result), nameof(StepRow.Error));
}
