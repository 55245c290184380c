using System.Diagnostics;
using Broker.Testing;
using Xunit;

namespace Broker.Faults.Harness;

/// <summary>The page's workers in TypeScript, checked and translated by the compiler that the lock file names.</summary>
internal static class TypeScript
{
    /// <summary>Files of the programs, in the order of the page.</summary>
    public static readonly string[] Names = ["jobs", "broker"];

    private static readonly Lazy<Task<string>> Compiled = new(CompileAsync);

    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(3);

    private static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "typescript");

    /// <summary>The folder of the translated programs. Where node, npm or its registry is missing, the test is skipped.</summary>
    public static async Task<string> CompiledAsync()
    {
        foreach (var program in (string[])["node", "npm"])
        {
            if (ProgramPath.Find(program) is null) Effort.Lacks($"no {program} on the path");
        }

        try
        {
            return await Compiled.Value;
        }
        catch (IOException missing)
        {
            Effort.Lacks(missing.Message);
            throw;
        }
    }

    private static async Task<string> CompileAsync()
    {
        Directory.CreateDirectory(Folder);
        foreach (var file in Directory.GetFiles(Path.Combine(RepositoryLayout.Root, "tests", "Broker.Faults", "TypeScript")))
            File.Copy(file, Path.Combine(Folder, Path.GetFileName(file)), overwrite: true);
        foreach (var (name, program) in Names.Zip(PageWorker.Programs("typescript"))) await File.WriteAllTextAsync(Path.Combine(Folder, $"{name}.ts"), program);

        var (installed, told) = await RunAsync("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline");
        if (installed != 0) throw new IOException($"npm could not install the TypeScript compiler:\n{told}");
        var (compiled, faults) = await RunAsync("node", "node_modules/typescript/bin/tsc", "--project", ".");
        Assert.True(compiled == 0, $"The page's TypeScript does not compile:\n{faults}");
        return Path.Combine(Folder, "dist");
    }

    private static async Task<(int Code, string Output)> RunAsync(string program, params IReadOnlyList<string> arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Folder })!;
        using var limit = new CancellationTokenSource(Longest);
        try
        {
            var (output, errors) = (process.StandardOutput.ReadToEndAsync(limit.Token), process.StandardError.ReadToEndAsync(limit.Token));
            await process.WaitForExitAsync(limit.Token);
            return (process.ExitCode, await output + await errors);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            return (-1, $"{program} took more than {Longest.TotalMinutes} min");
        }
    }
}
