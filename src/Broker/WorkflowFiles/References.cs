using Broker.Core.Conditions;
using Broker.Core.Definitions;

namespace Broker.WorkflowFiles;

/// <summary>A name in <c>${{ }}</c>: text that is known when the file is read, or a variable that has the value when the job runs.</summary>
internal readonly record struct Reference(string? Text, string? Variable)
{
    public static Reference OfText(string text) => new(text, null);

    public static Reference OfVariable(string name) => new(null, name);
}

/// <summary>The names that one job may use in <c>${{ }}</c>, and those that it has used.</summary>
internal sealed class References(IReadOnlyDictionary<string, FileInput> inputs, MatrixJob? matrix, IReadOnlyDictionary<string, IReadOnlyList<string>> needs)
{
    private readonly Dictionary<string, int> steps = new(StringComparer.Ordinal);
    private readonly OrderedDictionary<string, ConditionLookup> variables = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<(string Variable, string Output)>> outputs = new(StringComparer.Ordinal);
    private readonly Lazy<HashSet<string>> jobs = new(() => [.. needs.Values.SelectMany(ids => ids)]);

    /// <summary>Outputs and results of other jobs, by the variable that a claim sets.</summary>
    public IEnumerable<KeyValuePair<string, ConditionLookup>> Upstream => variables.Where(used => used.Value.Kind is LookupKind.Output or LookupKind.Result);

    /// <summary>Whether the job reads outcomes or outputs of its own steps.</summary>
    public bool ReadsSteps { get; private set; }

    /// <summary>Outputs of a step that are read, by variable.</summary>
    public IReadOnlyList<(string Variable, string Output)> OutputsOf(string step) => outputs.GetValueOrDefault(step, []);

    /// <summary>Makes a step known to those after it. False when its id is taken.</summary>
    public bool Add(string stepId, int number) => steps.TryAdd(stepId, number);

    /// <summary>The type of an input; text for every other value.</summary>
    public InputType TypeOf(ConditionLookup lookup) =>
        lookup.Kind is LookupKind.Input && inputs.TryGetValue(lookup.Name, out var input) ? input.Type : InputType.Text;

    /// <summary>The reference that a lookup becomes, or the reason why there is no such value here.</summary>
    public (Reference Reference, string? Problem) Find(ConditionLookup lookup)
    {
        switch (lookup.Kind)
        {
            case LookupKind.Input:
                return ProblemOfInput(lookup.Name) is { } unknown ? (default, unknown) : (Reference.OfVariable(InputVariables.NameOf(lookup.Name)), null);
            case LookupKind.Env:
                return ShellNames.Fits(lookup.Name) ? (Reference.OfVariable(lookup.Name), null) : (default, "a shell has no variable of that name");
            case LookupKind.Matrix:
                if (matrix is null) return (default, "the job has no strategy.matrix");
                return matrix.Values.TryGetValue(lookup.Name, out var value)
                    ? (Reference.OfText(value), null)
                    : (default, $"this job's matrix has no '{lookup.Name}'; it has {string.Join(", ", matrix.Values.Keys)}");
            case LookupKind.Result:
                return ProblemOfResult(lookup.Name) is { } unneeded ? (default, unneeded) : Variable("NEEDS", lookup);
            case LookupKind.Output:
                return ProblemOfNeed(lookup.Name) is { } missing ? (default, missing) : Variable("NEEDS", lookup);
            case LookupKind.Outcome:
                if (!steps.TryGetValue(lookup.Name, out var number)) return (default, NoStep(lookup.Name));
                ReadsSteps = true;
                return (Reference.OfVariable(StepCommand.OutcomeOf(number)), null);
            case LookupKind.StepOutput:
                if (!steps.ContainsKey(lookup.Name)) return (default, NoStep(lookup.Name));
                ReadsSteps = true;
                return Variable("STEPS", lookup);
            default:
                throw new ArgumentOutOfRangeException(nameof(lookup), lookup.Kind, "No such place.");
        }
    }

    /// <summary>Why the file has no such input; null when it has.</summary>
    public string? ProblemOfInput(string name) =>
        inputs.ContainsKey(name) ? null : $"the file declares no input '{name}'{(inputs.Count == 0 ? "" : $"; it declares {string.Join(", ", inputs.Keys)}")}";

    /// <summary>Why there is no result of that name; null when there is. The jobs of a matrix have one together.</summary>
    public string? ProblemOfResult(string job) => needs.TryGetValue(job, out var several) && several.Count > 0 ? null : ProblemOfNeed(job);

    /// <summary>Why an output of that job cannot be read; null when it can.</summary>
    public string? ProblemOfNeed(string job)
    {
        if (jobs.Value.Contains(job)) return null;
        if (!needs.TryGetValue(job, out var several)) return $"'{job}' is not among the needs of this job";
        return several.Count == 0 ? $"'{job}' has no jobs" : $"'{job}' is a matrix of {several.Count} jobs; name one of them: needs['{several[0]}']";
    }

    private (Reference, string?) Variable(string root, ConditionLookup lookup)
    {
        var name = ShellNames.Of(root, lookup.Name, lookup.Member ?? "result");
        if (variables.TryAdd(name, lookup))
        {
            if (lookup.Kind is LookupKind.StepOutput && !outputs.TryAdd(lookup.Name, [(name, lookup.Member!)])) outputs[lookup.Name].Add((name, lookup.Member!));
            return (Reference.OfVariable(name), null);
        }

        return variables[name] == lookup
            ? (Reference.OfVariable(name), null)
            : (default, $"becomes the variable {name}, as {variables[name]} does; rename one of them");
    }

    private string NoStep(string id) => $"there is no step '{id}' before this place{(steps.Count == 0 ? "" : $"; there are {string.Join(", ", steps.Keys)}")}";
}
