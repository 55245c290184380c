using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json;
using Broker.Core.Json;
using Broker.Core.Schedules;
using Broker.Core.Steps;
using Broker.Core.Triggers;

namespace Broker.Core.Definitions;

/// <summary>A fault of a definition: its place (such as <c>steps.build.policies</c>) and the expected form.</summary>
public sealed record DefinitionProblem(string Path, string Message)
{
    public override string ToString() => Path.Length == 0 ? Message : $"{Path}: {Message}";
}

/// <summary>A definition, or every problem that was found.</summary>
public sealed record DefinitionReading(WorkflowDefinition? Definition, IReadOnlyList<DefinitionProblem> Problems);

/// <summary>
/// Reader of definition documents: the broker dialect's schema with extensions. The other dialects translate their forms into this
/// document first, so there is one reader and one set of checks.
/// </summary>
public static class DefinitionReader
{
    /// <summary>Longest workflow name, version or step name, in characters.</summary>
    public const int MaxNameLength = 200;

    /// <param name="document">The document.</param>
    /// <param name="mostSteps">Steps that a definition may have here.</param>
    /// <param name="isStored">The document passed the check when it was registered: later rules do not make it unreadable.</param>
    public static DefinitionReading Read(JsonElement document, int mostSteps = WorkflowDefinition.MaxSteps, bool isStored = false)
    {
        var problems = new ProblemList();
        if (document.ValueKind is not JsonValueKind.Object)
        {
            problems.Add("", "expected a workflow object");
            return new(null, problems.All);
        }

        if (CanonicalJson.HasDuplicateKeys(document, out var twice))
        {
            problems.Add(twice, "is there twice");
            return new(null, problems.All);
        }

        if (UnicodeCheck.Refuses(document, "", problems)) return new(null, problems.All);

        var name = problems.Name(document, "workflow_id", "", fallback: null);
        var version = problems.Name(document, "version", "", fallback: "1");
        problems.Policies(document, "");
        var drafts = ReadSteps(document, mostSteps, problems);
        var outputs = problems.Strings(document, "outputs", "");
        var events = EventReader.Read(document, name, drafts, problems);
        var jobs = ReadJobs(document, name, problems);
        var inputs = ReadInputs(document, isStored, problems);
        var schedules = Later(isStored, problems, found => ScheduleReader.ReadEntries(document, name, found));
        var triggers = Later(isStored, problems, found => TriggerReader.ReadEntries(document, found));
        var limit = TimeoutsReader.RunMs(document, problems);
        var losses = problems.Integer(document, "max_lease_losses", "", 0, 1000) ?? 3;
        if (!isStored) RefusePathNames(name, drafts, problems);
        if (problems.Any) return new(null, problems.All);

        var steps = GraphBuilder.Build(drafts, problems);
        var outputIndexes = ImmutableArray.CreateBuilder<int>();
        var indexOf = drafts.Select((draft, index) => (draft.Name, index)).ToFrozenDictionary(s => s.Name, s => s.index);
        foreach (var output in outputs)
        {
            if (indexOf.TryGetValue(output, out var index)) outputIndexes.Add(index);
            else problems.Add("outputs", $"names the step '{output}', which does not exist");
        }

        ConditionReader.CheckNeeds(steps, problems);
        var maps = MapReader.Resolve(steps, drafts, problems);
        if (problems.Any) return new(null, problems.All);

        return new(
            new WorkflowDefinition
            {
                Name = name,
                Version = version,
                Steps = steps,
                Outputs = outputIndexes.ToImmutable(),
                LostLease = jobs is not null || drafts.Any(d => d.DependsOn is not null) ? LostLeaseRule.UseRetry : LostLeaseRule.ReturnToFront,
                MaxLeaseLosses = (int)losses,
                RunMs = limit,
                Events = events,
                Inputs = inputs,
                Schedules = schedules,
                Triggers = triggers,
                Jobs = jobs,
                Document = document.GetRawText(),
                Fingerprint = DefinitionFingerprint.Of(document),
                IndexOf = indexOf,
                Roots = [.. steps.Where(s => s.Predecessors.IsEmpty).Select(s => s.Index)],
                ResultSteps = outputIndexes.Count > 0
                    ? outputIndexes.ToImmutable()
                    : [.. steps.Where(s => s.Successors.Values.All(v => v.IsEmpty)).Select(s => s.Index)],
                HasConditions = steps.Any(s => s.When is not null),
                HasFailFast = steps.Any(s => s.FailFast is not null),
                ConditionsReadInputs = steps.Any(s => ConditionReader.ReadsInputs(s)),
                HasWaits = steps.Any(s => s.Kind is StepKind.WaitForEvent or StepKind.Sleep),
                HasCommands = steps.Any(s => s.Command is not null || s.Map?.Item.Command is not null),
                Maps = maps,
            },
            problems.All);
    }

    private static void RefusePathNames(string name, List<StepDraft> drafts, ProblemList problems)
    {
        if (!PathNames.Fits(name)) problems.Add("workflow_id", PathNames.Message);
        foreach (var draft in drafts.Where(d => !PathNames.Fits(d.Name))) problems.Add($"steps.{draft.Name}", PathNames.Message);
    }

    // Before inputs were declared, a member of that name was carried along unread: in a stored document one of another form declares nothing.
    private static InputCatalog? ReadInputs(JsonElement document, bool isStored, ProblemList problems)
    {
        if (!isStored) return InputReader.Read(document, problems);
        var ofInputs = new ProblemList();
        var inputs = InputReader.Read(document, ofInputs);
        return ofInputs.Any ? null : inputs;
    }

    // A stored document may have carried a member of that name along before it had a meaning: one of another form declares nothing.
    private static ImmutableArray<T> Later<T>(bool isStored, ProblemList problems, Func<ProblemList, ImmutableArray<T>> read)
    {
        var found = isStored ? new ProblemList() : problems;
        var entries = read(found);
        return isStored && found.Any ? [] : entries;
    }

    private static JobsDisplay? ReadJobs(JsonElement document, string name, ProblemList problems)
    {
        if (problems.Object(document, "jobs", "") is not { } jobs) return null;
        return new JobsDisplay(
            problems.Text(jobs, "name", "jobs") ?? name,
            problems.Text(jobs, "trigger", "jobs") ?? "",
            jobs.TryGetProperty("from_file", out var file) && file.ValueKind is JsonValueKind.True);
    }

    private static List<StepDraft> ReadSteps(JsonElement document, int mostSteps, ProblemList problems)
    {
        var drafts = new List<StepDraft>();
        if (!document.TryGetProperty("steps", out var steps) || steps.ValueKind is JsonValueKind.Null)
        {
            problems.Add("steps", "is required: an object of step name to step");
            return drafts;
        }

        if (steps.ValueKind is not JsonValueKind.Object)
        {
            problems.Add("steps", "expected an object of step name to step");
            return drafts;
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in steps.EnumerateObject())
        {
            if (drafts.Count == mostSteps)
            {
                problems.Add("steps", $"has more than {mostSteps} steps");
                break;
            }

            if (!problems.IsName(entry.Name, $"steps.{entry.Name}")) continue;
            if (!seen.Add(entry.Name)) problems.Add($"steps.{entry.Name}", "is there twice");
            else if (entry.Value.ValueKind is not JsonValueKind.Object) problems.Add($"steps.{entry.Name}", "expected a step object");
            else drafts.Add(ReadStep(entry.Name, entry.Value, problems));
        }

        return drafts;
    }

    private static StepDraft ReadStep(string key, JsonElement step, ProblemList problems)
    {
        var path = $"steps.{key}";
        if (problems.Text(step, "name", path) is { } name && name != key) problems.Add($"{path}.name", $"is '{name}', but the step's key is '{key}'");

        var kind = problems.Text(step, "kind", path) switch
        {
            null or "task" => StepKind.Task,
            "waitForEvent" => StepKind.WaitForEvent,
            "sleep" => StepKind.Sleep,
            "map" => StepKind.Map,
            var other => problems.Add<StepKind>($"{path}.kind", $"is '{other}', expected task, waitForEvent, sleep or map"),
        };
        var policies = problems.Policies(step, path);
        var eventType = problems.Text(step, "event", path);
        if (kind is StepKind.WaitForEvent && string.IsNullOrEmpty(eventType)) problems.Add($"{path}.event", "is required: the event type to wait for");

        // Bounds of waits: instances contract 8. A sleep may be as long as the longest wait.
        var timeout = kind is StepKind.WaitForEvent
            ? problems.Integer(step, "timeout_ms", path, 1000, RetryPolicy.LongestMs) ?? 24L * 60 * 60 * 1000
            : problems.Integer(step, "timeout_ms", path, 1, RetryPolicy.LongestMs);
        var timeouts = TimeoutsReader.Read(step, path, kind, kind is StepKind.Task ? timeout : null, problems);
        var duration = problems.Integer(step, "duration_ms", path, 0, RetryPolicy.LongestMs);
        if (kind is StepKind.Sleep && duration is null) problems.Add($"{path}.duration_ms", "is required: how long to sleep, in milliseconds");

        return new StepDraft
        {
            Name = key,
            Kind = kind,
            Successors = problems.StringLists(step, "successors", path),
            Predecessors = problems.Strings(step, "predecessors", path),
            DependsOn = step.TryGetProperty("depends_on", out var needs) && needs.ValueKind is not JsonValueKind.Null ? problems.Strings(step, "depends_on", path) : null,
            AnyOf = problems.StringLists(step, "or_groups", path),
            When = ConditionReader.Read(step, path, problems),
            Optional = problems.Boolean(step, "optional", path),
            FailFast = problems.Text(step, "fail_fast", path),
            Command = problems.Text(step, "command", path),
            RequiredLabels = problems.Strings(step, "required_labels", path),
            Priority = (int)(problems.Integer(step, "priority", path, -StepDefinition.MaxPriority, StepDefinition.MaxPriority) ?? 0),
            Retry = RetryPolicyReader.Read(step, path, problems),
            LeaseSecs = (int?)problems.Integer(step, "lease_ttl_secs", path, 1, 24 * 60 * 60),
            BudgetSecs = policies.BudgetSecs,
            TimeoutMs = timeouts.AttemptMs ?? timeout ?? policies.TimeoutMs,
            Timeouts = timeouts,
            EventType = eventType,
            DurationMs = duration ?? 0,
            Emits = problems.Strings(step, "emits", path),
            Accepts = problems.Strings(step, "accepts", path),
            DisplayJson = problems.Object(step, "display", path)?.GetRawText(),
            Map = kind is StepKind.Map ? MapReader.Read(step, path, problems) : null,
        };
    }
}
