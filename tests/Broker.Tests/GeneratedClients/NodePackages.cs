using System.ComponentModel;
using System.Diagnostics;
using System.Security.Cryptography;
using Broker.Testing;
using Xunit;

namespace Broker.Tests.GeneratedClients;

/// <summary>Packages of the lock file beside the TypeScript client, installed once for each state of that file.</summary>
internal static class NodePackages
{
    private static readonly Lazy<Task<(string? Folder, string? Reason)>> Installed = new(InstallAsync);

    private static string Source => Path.Combine(RepositoryLayout.Root, "tests", "Broker.Tests", "GeneratedClients", "typescript");

    /// <summary>Copies the files of the client into the folder and links the packages; skips the test where node or a package cannot be had.</summary>
    public static async Task UseAsync(TempFolder folder)
    {
        var (packages, reason) = await Installed.Value;
        Assert.SkipWhen(packages is null, reason ?? "");
        foreach (var file in Directory.EnumerateFiles(Source)) File.Copy(file, Path.Combine(folder.Path, Path.GetFileName(file)));
        Directory.CreateSymbolicLink(Path.Combine(folder.Path, "node_modules"), Path.Combine(packages!, "node_modules"));
    }

    /// <summary>Runs a script by node, in that folder, and returns its output.</summary>
    public static async Task<string> RunAsync(TempFolder folder, params string[] arguments)
    {
        var (code, output, errors) = await RunAsync("node", folder.Path, arguments);
        Assert.True(code == 0, $"node {string.Join(' ', arguments)} ended with {code}: {errors}{output}");
        return output;
    }

    // Not in the source folder, which other tests read.
    private static async Task<(string? Folder, string? Reason)> InstallAsync()
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(Path.Combine(Source, "package-lock.json"))))[..16];
        var folder = Path.Combine(RepositoryLayout.Root, "artifacts", "node", hash);
        if (File.Exists(Path.Combine(folder, "complete"))) return (folder, null);
        Directory.CreateDirectory(folder);
        foreach (var file in (string[])["package.json", "package-lock.json"]) File.Copy(Path.Combine(Source, file), Path.Combine(folder, file), overwrite: true);
        try
        {
            await RunAsync("node", folder, "--version");
            var (code, output, errors) = await RunAsync("npm", folder, "ci", "--ignore-scripts", "--no-audit", "--no-fund");
            if (code != 0) return (null, $"npm cannot install the packages: {errors}{output}");
        }
        catch (Win32Exception missing)
        {
            return (null, $"node and npm are not installed: {missing.Message}");
        }

        await File.WriteAllTextAsync(Path.Combine(folder, "complete"), hash);
        return (folder, null);
    }

    private static async Task<(int Code, string Output, string Errors)> RunAsync(string program, string folder, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["REDOCLY_TELEMETRY"] = "off", ["NO_COLOR"] = "1" },
        })!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await errors);
    }
}
