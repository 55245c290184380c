using System.Diagnostics;
using Broker.WorkflowFiles;
using Xunit;

namespace Broker.Tests.WorkflowFiles;

internal static class Reading
{
    public static WorkflowFile Good(string text, string fileName = "release.yml")
    {
        var (file, problems) = WorkflowFileReader.Read(fileName, text);
        Assert.Empty(problems);
        return file!;
    }

    /// <summary>The only job of a file with this body, indented as the value of its key.</summary>
    public static JobDocument Job(string body) =>
        Assert.Single(Good(FileWith(body)).Jobs);

    public static string[] Problems(string text, string fileName = "release.yml")
    {
        var (file, problems) = WorkflowFileReader.Read(fileName, text);
        Assert.Null(file);
        Assert.All(problems, p => Assert.Equal(fileName, p.File));
        return [.. problems.Select(p => p.ToString())];
    }

    public static string[] JobProblems(string body) =>
        Problems(FileWith(body));

    /// <summary>Output and exit code of a command in a worker's shell.</summary>
    public static async Task<(string Output, int ExitCode)> ShellAsync(string command, IReadOnlyDictionary<string, string>? environment = null, string shell = "/bin/sh")
    {
        var start = new ProcessStartInfo(shell, ["-c", command]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;

        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (output + await errors, process.ExitCode);
    }

    // Blank lines stay empty: the parser refuses a block that begins with a line of fewer blanks than the next.
    private static string FileWith(string job) =>
        $"name: n\non: push\njobs:\n  only:\n{string.Concat(job.Split('\n').Select(l => l.Length == 0 ? "\n" : $"    {l}\n"))}";
}
