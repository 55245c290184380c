using System.Globalization;
using System.Text.RegularExpressions;
using Broker.Testing;
using Xunit;

namespace Broker.Faults.Harness;

/// <summary>Line that a worker of the page prints at the end of a step. The verdict is the broker's, or lost, or gone.</summary>
internal readonly record struct WorkerLine(string Step, string Instance, string Verdict);

/// <summary>A worker that <c>docs/worker-protocol.md</c> shows, as a program.</summary>
internal sealed partial class PageWorker(ManagedProcess process) : IAsyncDisposable
{
    /// <summary>Lines of code that the page allows a worker.</summary>
    public const int MostLines = 40;

    public ManagedProcess Process { get; } = process;

    public IEnumerable<WorkerLine> Lines => Process.Output.Select(line => line.Split(' ')).Where(words => words.Length == 3).Select(words => new WorkerLine(words[0], words[1], words[2]));

    /// <summary>The page's programs in that language: that of the jobs dialect, then that of the broker dialect.</summary>
    public static IReadOnlyList<string> Programs(string language) =>
        [.. Fence().Matches(File.ReadAllText(Path.Combine(RepositoryLayout.Root, "docs", "worker-protocol.md"))).Where(block => block.Groups["language"].Value == language).Select(block => block.Groups["code"].Value)];

    /// <summary>Writes the program to a file that <see cref="Start"/> takes. Without its language the test is skipped.</summary>
    public static async Task<string> BuildAsync(string language, string dialect, string folder)
    {
        var place = dialect == "jobs" ? 0 : 1;
        if (language == "typescript") return Path.Combine(await TypeScript.CompiledAsync(), $"{TypeScript.Names[place]}.js");
        var file = Path.Combine(folder, $"{dialect}.py");
        await File.WriteAllTextAsync(file, Programs(language)[place]);
        return file;
    }

    public static PageWorker Start(string file, Uri broker, int leaseSecs)
    {
        var interpreter = file.EndsWith(".py", StringComparison.Ordinal) ? "python3" : "node";
        if (ProgramPath.Find(interpreter) is not { } program) throw Lacking(interpreter);
        var process = new ManagedProcess(
            program,
            new Dictionary<string, string> { ["BROKER_URL"] = broker.AbsoluteUri, ["LEASE_SECS"] = leaseSecs.ToString(CultureInfo.InvariantCulture) },
            [file]);
        process.Start();
        return new PageWorker(process);
    }

    /// <summary>SIGTERM: the worker drains and ends with code 0.</summary>
    public async Task DrainAsync()
    {
        var code = await Process.StopAsync();
        Assert.True(code == 0, $"A worker ended with code {code}:\n{string.Join('\n', Process.Output.TakeLast(20))}");
    }

    public ValueTask DisposeAsync() => Process.DisposeAsync();

    private static InvalidOperationException Lacking(string program)
    {
        Effort.Lacks($"no {program} on the path");
        return new(program);
    }

    [GeneratedRegex(@"^```(?<language>\w+)\n(?<code>.*?\n)```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();
}
