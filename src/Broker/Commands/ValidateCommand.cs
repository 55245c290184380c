using System.CommandLine;
using Broker.Api.JobsDialect;
using Broker.WorkflowFiles;

namespace Broker.Commands;

/// <summary>Checks workflow files as the broker reads them: one line for each problem, and exit code 1 if there is one.</summary>
internal static class ValidateCommand
{
    public static Command Create()
    {
        var paths = new Argument<string[]>("PATH") { Arity = ArgumentArity.OneOrMore, Description = "A workflow file, or a folder of them" };
        var command = new Command("validate", "Check workflow files; problems go to standard error, sound files to standard output") { paths };
        command.SetAction(async (line, _) =>
        {
            var sound = true;
            foreach (var path in line.GetValue(paths)!) sound &= await CheckAsync(path, line.InvocationConfiguration.Output, line.InvocationConfiguration.Error);
            return sound ? 0 : 1;
        });
        return command;
    }

    private static async Task<bool> CheckAsync(string path, TextWriter output, TextWriter errors)
    {
        var isFolder = Directory.Exists(path);
        var folder = isFolder ? path : Path.GetDirectoryName(Path.GetFullPath(path))!;
        var reading = new WorkflowFolder(folder, TimeProvider.System).Read(isFolder ? null : Path.GetFileName(path));
        var problems = reading.Problems.ToList();
        foreach (var file in reading.Files)
        {
            var (definition, found) = JobsDocument.Read(file, fromFile: true);
            problems.AddRange(found.Select(file.At));
            if (definition is not null) await output.WriteLineAsync($"{Shown(file.FileName)}: ok");
        }

        foreach (var problem in problems) await errors.WriteLineAsync((problem with { File = Shown(problem.File) }).ToString());
        if (reading.Files.Count + problems.Count > 0) return problems.Count == 0;
        await errors.WriteLineAsync($"{path}: {(isFolder ? "has no .yml, .yaml or .json file" : "is no workflow file: there is none of that name ending in .yml, .yaml or .json")}");
        return false;

        // As it was written on the command line, so that an editor finds it.
        string Shown(string name) => isFolder ? Path.Combine(path, name) : path;
    }
}
