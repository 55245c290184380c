using Broker.Api.JobsDialect;
using Broker.Auth;
using Broker.WorkflowFiles;

namespace Broker.Operators;

internal sealed partial class OperatorService
{
    public async Task<AppliedWorkflow> ApplyAsync(string workflow, WorkflowText file, CancellationToken ct)
    {
        Caller.Current.Demand(workflow);
        if (file.Format is not (null or "yaml" or "json")) throw BadMember("format", "expected yaml or json");
        if (file.Text is not { } text) throw BadMember("text", "expected the content of a workflow file");
        var (read, faults) = WorkflowFileReader.Read($"{workflow}.{file.Format ?? "yaml"}", text);
        if (read is null) throw Refused(faults);
        var reading = JobsDocument.Read(read with { Id = workflow }, fromFile: false, mostSteps: engine.Settings.Limits.Steps);
        if (reading.Definition is not { } definition) throw Refused(reading.Problems.Select(read.At));

        var before = await engine.DefinedAsync(workflow, ct);
        if (before?.Jobs?.FromFile is true)
        {
            throw new OperatorException(
                StatusCodes.Status409Conflict, "from_file", $"Workflow '{workflow}' comes from a folder of workflow files: change its file there, or apply the file under another name.");
        }

        var outcome = before is null ? "created" : before.Version == definition.Version ? "unchanged" : "updated";
        if (file.DryRun is not true) await engine.RegisterAsync([definition], ct, makeLatest: true);
        return new(workflow, definition.Version, before?.Version, outcome, definition.Steps.Length, file.DryRun is true);
    }

    private static OperatorException Refused(IEnumerable<FileProblem> problems) => Invalid(
        "invalid_workflow", "The workflow file has faults.", problems.Select(problem => new OperatorFault(problem.Line is { } line ? $"line {line}" : "/text", string.IsNullOrEmpty(problem.Path) ? problem.Message : $"{problem.Path}: {problem.Message}")));
}
