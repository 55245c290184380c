using System.CommandLine;
using Broker.Operators;

namespace Broker.Cli;

/// <summary><c>broker apply</c>: makes workflows what workflow files say. A file's name without its extension is the workflow's.</summary>
internal static class ApplyCommand
{
    private static readonly string[] Extensions = [".yml", ".yaml", ".json"];

    public static Command Create(Connection connection)
    {
        var file = new Option<string[]>("--file", "-f") { Description = "A workflow file, or a folder of them; may be given several times", HelpName = "PATH", Required = true };
        var dryRun = new Option<bool>("--dry-run") { Description = "Says what would change, and changes nothing" };
        var command = new Command("apply", "Makes workflows what workflow files say; where a file has faults, none is applied") { file, dryRun };
        command.SetAction(connection, async (call, ct) =>
        {
            var files = await ReadAsync(call.Line.GetValue(file)!, ct);
            var outcomes = new List<AppliedWorkflow>();
            var worst = ExitCodes.Succeeded;
            foreach (var (path, workflow, text) in files)
            {
                if (await TryAsync(call, path, workflow, text with { DryRun = true }, ct) is not { } outcome) worst = ExitCodes.Usage;
                else outcomes.Add(outcome);
            }

            if (worst != ExitCodes.Succeeded) return worst;
            if (!call.Line.GetValue(dryRun))
            {
                outcomes.Clear();
                foreach (var (_, workflow, text) in files) outcomes.Add(await call.Api.ApplyAsync(workflow, text, ct));
            }

            call.Printer.Items(
                outcomes,
                OperatorJson.Default.AppliedWorkflow,
                one => one.Workflow,
                new("WORKFLOW", one => one.Workflow),
                new("OUTCOME", one => one.DryRun && one.Outcome != "unchanged" ? $"would be {one.Outcome}" : one.Outcome),
                new("VERSION", one => one.Version),
                new("BEFORE", one => one.Before),
                new("STEPS", one => one.Steps.ToString(System.Globalization.CultureInfo.InvariantCulture)));
            return ExitCodes.Succeeded;
        });
        return command;
    }

    // Null after the faults of the file, each on a line that editors understand.
    private static async Task<AppliedWorkflow?> TryAsync(CliCall call, string path, string workflow, WorkflowText text, CancellationToken ct)
    {
        try
        {
            return await call.Api.ApplyAsync(workflow, text, ct);
        }
        catch (OperatorException refused) when (refused.Status is 409 or 422)
        {
            foreach (var fault in refused.Errors ?? [new("", refused.Message)])
            {
                var line = fault.Place.StartsWith("line ", StringComparison.Ordinal) ? $":{fault.Place[5..]}" : "";
                await call.Talk.WriteLineAsync($"{path}{line}: {fault.Message}");
            }

            return null;
        }
    }

    private static async Task<List<(string Path, string Workflow, WorkflowText Text)>> ReadAsync(string[] paths, CancellationToken ct)
    {
        var files = new List<(string Path, string Workflow, WorkflowText Text)>();
        try
        {
            foreach (var given in paths)
            {
                string[] found = Directory.Exists(given) ? [.. Directory.EnumerateFiles(given).Where(path => Extensions.Contains(Path.GetExtension(path))).Order(StringComparer.Ordinal)] : [given];
                if (found.Length == 0) throw new CliException(ExitCodes.Usage, $"{given}: has no .yml, .yaml or .json file");
                foreach (var path in found)
                {
                    var format = Path.GetExtension(path) is ".json" ? "json" : "yaml";
                    files.Add((path, Path.GetFileNameWithoutExtension(path), new() { Format = format, Text = await File.ReadAllTextAsync(path, ct) }));
                }
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCodes.Usage, $"--file: {fault.Message}");
        }

        return files.GroupBy(file => file.Workflow).FirstOrDefault(same => same.Count() > 1) is { } twice
            ? throw new CliException(ExitCodes.Usage, $"--file: two files are of workflow '{twice.Key}': {string.Join(", ", twice.Select(file => file.Path))}")
            : files;
    }
}
