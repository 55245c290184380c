using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Engine;

namespace Broker.Api.JobsDialect;

/// <summary>How the jobs above claimed ones ended, where their commands read it.</summary>
internal sealed class ClaimedNeeds
{
    private static readonly ClaimedNeeds None = new(new Dictionary<(long, int), StepStatus>());

    private readonly IReadOnlyDictionary<(long Run, int Step), StepStatus> statuses;

    private ClaimedNeeds(IReadOnlyDictionary<(long Run, int Step), StepStatus> statuses) => this.statuses = statuses;

    /// <summary>One read for all jobs that need it. A job without a condition runs only after successes, so it needs none.</summary>
    public static async ValueTask<ClaimedNeeds> ReadAsync(BrokerEngine engine, IReadOnlyList<Assignment> claimed, CancellationToken ct)
    {
        List<(long, int)> places = [];
        foreach (var step in claimed)
        {
            if (step.Step.When is not null && JobShapes.Of(step.Definition, step.Step).ReadsResults) places.AddRange(step.Step.Predecessors.Select(above => (step.Run.Id, above)));
        }

        return places.Count == 0 ? None : new(await engine.StatusesAsync(places, ct));
    }

    /// <summary>success, failure, cancelled or skipped.</summary>
    public string Of(Assignment claimed, string job) => claimed.Step.When is null
        ? JobsStatuses.Success
        : NeedResults.Of(claimed.Definition, claimed.Step, above => statuses.TryGetValue((claimed.Run.Id, above), out var status) ? status : null, job) ?? "";
}
