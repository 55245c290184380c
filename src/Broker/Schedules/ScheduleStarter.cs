using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Schedules;
using Broker.Engine;
using Broker.Storage.Contracts;

namespace Broker.Schedules;

/// <summary>Starts the run of an instant.</summary>
internal sealed class ScheduleStarter(BrokerEngine engine, IDefinitionFacts definitions)
{
    /// <summary>The instant with what became of it. A run that is there already counts as started: by another broker, or before a crash.</summary>
    public async Task<Firing> StartAsync(StoredSchedule schedule, ScheduleRule rule, Firing firing, string instance, CancellationToken ct)
    {
        WorkflowDefinition? definition;
        try
        {
            definition = await DefinitionAsync(schedule.Workflow, rule.Version, ct);
        }
        catch (WorkflowBrokenException broken)
        {
            return Skipped(firing, SkipReasons.NoWorkflow, broken.Message);
        }

        if (definition is null)
        {
            var missing = rule.Version is { } version ? $"There is no version '{version}' of workflow '{schedule.Workflow}' that can be started." : $"There is no workflow '{schedule.Workflow}' that can be started.";
            return Skipped(firing, SkipReasons.NoWorkflow, missing);
        }

        var request = new StartRequest(definition, instance)
        {
            InputsJson = rule.InputsJson,
            TagsJson = RuleTags.Of(rule.TagsJson, schedule.Name, firing.Nominal),
            Priority = rule.Priority,
        };
        var outcome = await engine.StartAsync(request, ct);
        return outcome.Verdict switch
        {
            StartVerdict.Started or StartVerdict.AlreadyExists or StartVerdict.StillActive or StartVerdict.NotContinuable or StartVerdict.OtherInputs or StartVerdict.KeyReused =>
                firing with { Phase = FiringPhase.Started, Instance = instance, Reason = null },
            StartVerdict.StartsPaused => Skipped(firing, SkipReasons.StartsPaused, engine.StartsPaused(schedule.Workflow)),
            StartVerdict.BacklogFull => Skipped(firing, SkipReasons.BacklogFull, $"{engine.Settings.Limits.Backlog} runs of workflow '{schedule.Workflow}' wait for workers"),
            StartVerdict.InputsRefused => Skipped(firing, SkipReasons.InputsRefused, string.Join("; ", outcome.Problems.Take(MostProblems).Select(problem => $"{problem.Path}: {problem.Message}"))),
        };
    }

    public static Firing Skipped(Firing firing, string reason, string? detail = null) => firing with { Phase = FiringPhase.Skipped, Reason = reason, Detail = detail };

    private const int MostProblems = 5;

    private async Task<WorkflowDefinition?> DefinitionAsync(string workflow, string? version, CancellationToken ct)
    {
        var latest = await engine.StartableAsync(workflow, ct);
        if (latest is null || version is null || version == latest.Version) return latest;
        return await definitions.FindAsync(workflow, version, ct) is { Withdrawn: false } stored ? await definitions.GetAsync(stored, ct) : null;
    }
}
