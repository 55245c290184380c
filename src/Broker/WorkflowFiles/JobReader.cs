using System.Globalization;
using System.Text;
using Broker.Core.Conditions;

namespace Broker.WorkflowFiles;

/// <summary>Values of a file that all of its jobs share.</summary>
/// <param name="Environment">Variables of all jobs.</param>
/// <param name="Shell">Shell of steps that name none.</param>
/// <param name="Folder">Folder of steps that name none.</param>
/// <param name="Inputs">Inputs by name.</param>
/// <param name="Jobs">Ids of the jobs that each key of <c>jobs</c> makes; null for a key without a matrix.</param>
internal sealed record FileScope(
    IReadOnlyList<WrittenVariable> Environment,
    (ScalarNode Node, string Path)? Shell,
    (ScalarNode Node, string Path)? Folder,
    IReadOnlyDictionary<string, FileInput> Inputs,
    IReadOnlyDictionary<string, IReadOnlyList<MatrixJob>?> Jobs);

/// <summary>Reads one job of a file, or one of the jobs that its matrix makes.</summary>
internal sealed class JobReader
{
    private const int MostSeconds = 365 * 24 * 60 * 60;

    // One argument of a program: 128 KiB, less what surrounds the text.
    private const int MostRunOfShell = 120_000;

    private readonly FieldReader fields;
    private readonly FileScope file;
    private readonly FileProblems problems;
    private readonly MatrixJob? matrix;
    private readonly References references;
    private readonly OrderedDictionary<string, IReadOnlyList<string>> needs = new(StringComparer.Ordinal);
    private readonly (ScalarNode Node, string Path)? shell;
    private readonly (ScalarNode Node, string Path)? folder;
    private readonly string key;

    private JobReader(string key, FieldReader fields, FileScope file, MatrixJob? matrix)
    {
        (this.key, this.fields, this.file, this.matrix, problems) = (key, fields, file, matrix, fields.Problems);
        ReadNeeds();
        references = new References(file.Inputs, matrix, needs);
        shell = Placed(fields, "shell") ?? file.Shell;
        folder = Placed(fields, "working-directory") ?? file.Folder;
    }

    /// <summary>The job; incomplete where problems were reported.</summary>
    public static JobDocument Read(string key, FieldReader fields, FileScope file, MatrixJob? matrix) => new JobReader(key, fields, file, matrix).Job();

    private JobDocument Job()
    {
        var environment = Variables([.. file.Environment, .. fields.Environment("env")]);
        var steps = fields.Items("steps").Select((step, i) => Step(step, i + 1)).OfType<StepText>().ToList();
        if (fields.Value("run") is null && fields.Value("steps") is null or SequenceNode { Items.Count: 0 })
            fields.Report("has nothing to do: write run, or steps with at least one entry");
        var run = steps.Count == 0 ? Run(fields, fields.PathOf("run"), "run", 1, null) : null;
        var outputs = Outputs();
        var job = new JobDocument
        {
            Id = matrix?.Id ?? key,
            Name = fields.Scalar("name") is { } name ? Fixed(name, fields.PathOf("name")) : matrix?.Id ?? key,
            Command = "",
            DependsOn = [.. needs.SelectMany(need => need.Value)],
            RequiredLabels = Labels(),
            Retry = Retry(),
            TimeoutMs = Timeout(fields),
            When = When(environment),
            IsOptional = Flag(fields, "continue-on-error"),
            FailFast = matrix is { FailFast: true } ? key : null,
            Priority = (int)(fields.Integer("priority", -1000, 1000) ?? 0),
        };
        job = outputs.Count > 0 || references.ReadsSteps || steps.Exists(step => step.Condition is not null || step.ContinuesOnError)
            ? job with { Command = StepCommand.Compose(environment, run is null ? steps : [run], references, outputs), Script = new JobSteps(Last(environment), []) }
            : job with { Command = ShellCommand.Compose(environment, run, steps), Script = ScriptOf(environment, steps) };
        return job with { Upstream = [.. references.Upstream.Select(used => (used.Key, used.Value.Name, used.Value.Member))] };
    }

    private void ReadNeeds()
    {
        foreach (var need in fields.Texts("needs", bareText: true))
        {
            if (!file.Jobs.TryGetValue(need, out var jobs)) fields.Report("needs", $"'{key}' needs '{need}', and this file has no such job");
            else needs[need] = jobs is null ? [need] : [.. jobs.Select(job => job.Id)];
        }
    }

    private StepText? Step(Node node, int number)
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"{fields.PathOf("steps")}[{number - 1}]");
        if (node is not MappingNode mapping)
        {
            problems.Add(node.Line, path, $"must be a mapping, not {node.Description}");
            return null;
        }

        var step = new FieldReader(mapping, path, node.Line, problems).Only(KnownKeys.Step);
        var id = step.Text("id");
        var name = step.Scalar("name") is { } written ? Fixed(written, step.PathOf("name")) : null;
        var text = Run(step, step.PathOf("run"), name ?? id ?? $"step {number}", number, id);
        if (id is { Length: > 0 } && !references.Add(id, number)) step.Report("id", $"'{id}' is the id of an earlier step");
        return text;
    }

    /// <summary>The text of a step, or of a job that is one.</summary>
    private StepText Run(FieldReader step, string path, string label, int number, string? id)
    {
        var isStep = step != fields;
        var condition = isStep && step.Scalar("if") is { } written ? Condition(step, written) : null;
        var environment = isStep ? Variables(step.Environment("env")) : [];
        var stepShell = (isStep ? Placed(step, "shell") : null) ?? shell;
        var stepFolder = (isStep ? Placed(step, "working-directory") : null) ?? folder;
        var timeout = isStep ? Timeout(step) : null;
        var command = stepShell is { } of ? Shell(of) : null;
        var run = step.Scalar("run") is { } node ? ShellText(node, path, command) : null;
        var (inFolder, needsWorkspace) = stepFolder is { } place ? Folder(place) : (null, false);
        var isWrapped = !string.IsNullOrEmpty(run) && (command is not null || inFolder is not null || timeout is not null);
        if (isWrapped && (command is not null || timeout is not null) && Encoding.UTF8.GetByteCount(run!) > MostRunOfShell)
            step.Report("run", $"is longer than the {MostRunOfShell} bytes that a shell of its own, or one with a timeout, can be given");
        return new StepText(label, isWrapped ? StepWrap.Wrap(run!, command, inFolder, timeout is { } ms ? (int)((ms + 999) / 1000) : null) : run, environment)
        {
            Number = number,
            Id = id,
            Condition = condition,
            ContinuesOnError = isStep && Flag(step, "continue-on-error"),
            IsOneCommand = isWrapped,
            NeedsWorkspace = isWrapped && needsWorkspace,
        };
    }

    private string ShellText(ScalarNode node, string path, string? command)
    {
        var template = TemplateText.Read(node, path, references, problems);
        void Report(int at, string message) => problems.Add(node.LineAt(at), path, message);
        return command is null || StepWrap.Expands(command)
            ? template.Shell(Report).Trim()
            : template.Plain(Report, variable => $"${{{{ }}}} is replaced in sh and shells like it; read the variable {variable} from the environment").Trim();
    }

    private string? Shell((ScalarNode Node, string Path) written)
    {
        var command = StepWrap.ShellOf(Fixed(written.Node, written.Path));
        if (SimpleLine.Is(command.Replace("{0}", "x", StringComparison.Ordinal))) return command;
        problems.Add(written.Node.Line, written.Path, "must be a command, such as bash -e or python3 {0}");
        return null;
    }

    // A relative folder is below the job's, wherever an earlier step went.
    private (string Word, bool NeedsWorkspace) Folder((ScalarNode Node, string Path) written)
    {
        var template = TemplateText.Read(written.Node, written.Path, references, problems);
        return template.Literal?.StartsWith('/') == true ? (template.Word(), false) : ($"\"${{BROKER_WORKSPACE:-.}}\"/{template.Word()}", true);
    }

    private string? Condition(FieldReader step, ScalarNode written)
    {
        if (Parsed(step, written) is not { } expression) return null;
        return ShellCondition.Of(expression, references, message => step.Report("if", message));
    }

    private static Expression? Parsed(FieldReader owner, ScalarNode written)
    {
        var (expression, problem, column) = Expression.Parse(written.Text);
        if (expression is null) owner.Report("if", $"column {column}: {problem}");
        return expression;
    }

    // The broker decides it, so everything that only the file knows is put in.
    private string? When(IReadOnlyList<ShellVariable> environment)
    {
        if (fields.Scalar("if") is not { } written || Parsed(fields, written) is not { } expression) return null;
        var bound = expression.Replace(lookup => lookup.Kind switch
        {
            LookupKind.Matrix => Known(lookup),
            LookupKind.Env => environment.LastOrDefault(variable => variable.Name == lookup.Name) is { Value: { } value } ? new Term.Constant(ConditionValue.Of(value)) : null,
            _ => null,
        });
        foreach (var lookup in bound.Lookups)
        {
            if (ProblemInWhen(lookup) is { } problem) fields.Report("if", $"{lookup}: {problem}");
        }

        return bound.ToString() switch { "success()" => null, "failure()" => "failure", "always()" => "always", var text => text };
    }

    private Term.Constant? Known(ConditionLookup lookup) => references.Find(lookup).Reference.Text is { } text ? new(ConditionValue.Of(text)) : null;

    private string? ProblemInWhen(ConditionLookup lookup) => lookup.Kind switch
    {
        LookupKind.Input => references.ProblemOfInput(lookup.Name),
        LookupKind.Env => "the file gives this variable no fixed value for the job; the broker decides before the job has a worker",
        LookupKind.Matrix => references.Find(lookup).Problem,
        LookupKind.Result => references.ProblemOfResult(lookup.Name),
        LookupKind.Output => references.ProblemOfNeed(lookup.Name),
        LookupKind.Outcome or LookupKind.StepOutput => "the job's steps have not run when the broker decides; write it into the if of a step",
        _ => throw new ArgumentOutOfRangeException(nameof(lookup), lookup.Kind, "No such place."),
    };

    private IReadOnlyList<string> Labels()
    {
        if (fields.Value("runs-on") is not null && fields.Value("labels") is not null) fields.Report("runs-on", "means labels; write one of them");
        var labels = fields.Value("runs-on") is null ? fields.Texts("labels") : fields.Texts("runs-on", bareText: true);
        var field = fields.Value("runs-on") is null ? "labels" : "runs-on";
        return [.. labels.Select(label => Fixed(new ScalarNode(label, ScalarKind.Text, fields.LineOf(field) ?? 0), fields.PathOf(field)))];
    }

    private JobRetry Retry()
    {
        var retries = fields.Integer("retries", 0, int.MaxValue);
        if (fields.Fields("retry")?.Only(KnownKeys.Retry) is not { } retry) return new JobRetry(retries ?? 0);
        if (retries is not null) fields.Report("retries", "means retry.max; write one of them");
        var codes = retry.Items("retry_on_exit").Select((item, i) => ExitCode(retry, item, i)).ToList();
        return new JobRetry(retry.Integer("max", 0, int.MaxValue) ?? 1, Backoff(retry), retry.Number("jitter", 0, 1), codes.Count > 0 ? codes : null);
    }

    private long ExitCode(FieldReader retry, Node item, int index)
    {
        if (item is ScalarNode { Kind: ScalarKind.Number } scalar && long.TryParse(scalar.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var code) && code is >= 1 and <= 255)
            return code;
        problems.Add(item.Line, retry.PathOf("retry_on_exit"), $"entry {index + 1} must be an exit code from 1 to 255, not {item.Description}");
        return 0;
    }

    private static string Backoff(FieldReader retry)
    {
        switch (retry.Value("backoff"))
        {
            case null or ScalarNode { Text: "none" }:
                return "\"None\"";
            case ScalarNode { Kind: ScalarKind.Number }:
                return string.Create(CultureInfo.InvariantCulture, $$$"""{"Fixed":{"delay_secs":{{{retry.Integer("backoff", 0, MostSeconds) ?? 0}}}}}""");
            case MappingNode:
                var fields = retry.Fields("backoff")!.Only(KnownKeys.Backoff);
                fields.Require("base");
                var (first, most) = (fields.Integer("base", 0, MostSeconds) ?? 0, fields.Integer("max", 0, MostSeconds) ?? MostSeconds);
                return string.Create(CultureInfo.InvariantCulture, $$$"""{"Exponential":{"base_secs":{{{first}}},"max_secs":{{{most}}}}}""");
            case { } other:
                retry.Report("backoff", $"must be none, seconds, or base and max in seconds, not {other.Description}");
                return "\"None\"";
        }
    }

    private static long? Timeout(FieldReader owner)
    {
        if (owner.Value("timeout") is not null && owner.Value("timeout-minutes") is not null) owner.Report("timeout-minutes", "means timeout; write one of them");
        return owner.Integer("timeout", 1, MostSeconds) * 1000 ?? (long?)(owner.Number("timeout-minutes", 1d / 60, MostSeconds / 60d) * 60_000);
    }

    private List<JobOutput> Outputs()
    {
        var outputs = new List<JobOutput>();
        foreach (var (name, entry) in fields.Mapping("outputs")?.Entries ?? [])
        {
            var path = $"{fields.PathOf("outputs")}.{name}";
            if (entry.Value is not ScalarNode value) problems.Add(entry.Line, path, $"must be text, not {entry.Value.Description}");
            else if (name.Length == 0 || name.Contains('=') || name.Contains("<<", StringComparison.Ordinal) || name.Contains('\n')) problems.Add(entry.Line, path, "a name of an output has no =, << and line break");
            else outputs.Add(new(name, TemplateText.Read(value, path, references, problems).Word()));
        }

        return outputs;
    }

    private List<ShellVariable> Variables(IReadOnlyList<WrittenVariable> written)
    {
        var variables = new List<ShellVariable>(written.Count);
        foreach (var variable in written)
        {
            var template = TemplateText.Read(variable.Value, variable.Path, references, problems);
            variables.Add(new(variable.Name, template.Literal, template.Word()));
        }

        return variables;
    }

    private bool Flag(FieldReader owner, string field)
    {
        if (owner.Value(field) is not ScalarNode { Kind: ScalarKind.Text } written) return owner.Boolean(field) ?? false;
        var text = Fixed(written, owner.PathOf(field));
        if (text is not ("true" or "false")) owner.Report(field, "must be true or false");
        return text == "true";
    }

    /// <summary>A text that must be known when the file is read.</summary>
    private string Fixed(ScalarNode node, string path) => TemplateText.Read(node, path, references, problems)
        .Plain((at, message) => problems.Add(node.LineAt(at), path, message), _ => "${{ }} is replaced here by values of a matrix only: nothing else is known when the file is read");

    private static (ScalarNode Node, string Path)? Placed(FieldReader owner, string field) => owner.Scalar(field) is { } node ? (node, owner.PathOf(field)) : null;

    private static JobSteps? ScriptOf(IReadOnlyList<ShellVariable> environment, IReadOnlyList<StepText> steps)
    {
        var running = steps.Where(s => s.Runs).ToList();
        if (running.Count == 0) return null;
        return new JobSteps(Last(environment), [.. running.Select((step, i) => new ScriptStep(step.Label, Computed(i == 0 ? environment : []) + Computed(step.Environment) + step.Run, Last(step.Environment)))]);
    }

    // A name that comes twice has its last value: an object of the claim holds a member once.
    private static IReadOnlyList<KeyValuePair<string, string>> Last(IReadOnlyList<ShellVariable> variables)
    {
        var last = new OrderedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var variable in variables)
        {
            if (variable.Value is { } value) last[variable.Name] = value;
            else last.Remove(variable.Name);
        }

        return [.. last];
    }

    // A variable with a value of the run is set by the shell.
    private static string Computed(IReadOnlyList<ShellVariable> variables)
    {
        if (variables.All(variable => variable.Value is not null)) return "";
        var last = new Dictionary<string, ShellVariable>(StringComparer.Ordinal);
        foreach (var variable in variables) last[variable.Name] = variable;
        return string.Concat(variables.Where(variable => variable.Value is null && last[variable.Name] == variable).Select(variable => $"{variable.Export}\n"));
    }
}
