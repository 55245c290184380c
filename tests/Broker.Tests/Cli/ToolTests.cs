using Broker.Testing;
using Xunit;

namespace Broker.Tests.Cli;

/// <summary>The command line packed alone, installed as a tool from its package and run.</summary>
public sealed class ToolTests : IDisposable
{
    private static readonly TimeSpan WaitLimit = TimeSpan.FromMinutes(2);

    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task The_packed_tool_runs_without_the_server()
    {
        var project = Path.Combine(RepositoryLayout.Root, "src", "Broker.Tool");
        var (packages, tools) = (Path.Combine(folder.Path, "packages"), Path.Combine(folder.Path, "tools"));
        await DotnetAsync("pack", project, "-c", RepositoryLayout.Configuration, "--no-build", "-o", packages, "-v", "q");
        await DotnetAsync("tool", "install", "Broker.Tool", "--tool-path", tools, "--source", packages, "-v", "q");
        Assert.Empty(Directory.GetFiles(tools, "Npgsql*.dll", SearchOption.AllDirectories).Concat(Directory.GetFiles(tools, "Broker.Storage.dll", SearchOption.AllDirectories)));

        var tool = Path.Combine(tools, "broker");
        var (code, output) = await RunAsync(tool, "--help");
        Assert.Equal(0, code);
        Assert.Contains("doctor", output, StringComparison.Ordinal);
        Assert.DoesNotContain("migrate", output, StringComparison.Ordinal);
        (code, output) = await RunAsync(tool, "runs", "list", "--server", "http://127.0.0.1:1");
        Assert.Equal(7, code);
        Assert.StartsWith("broker: no broker answers", output, StringComparison.Ordinal);
        (code, output) = await RunAsync(tool, "runs", "lisst");
        Assert.Equal(2, code);
    }

    private async Task DotnetAsync(params string[] words)
    {
        var (code, output) = await RunAsync(DotnetHost, words);
        Assert.True(code == 0, $"dotnet {string.Join(' ', words)}: {output}");
    }

    private static string DotnetHost => Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? Environment.ProcessPath switch
    {
        { } path when Path.GetFileNameWithoutExtension(path) == "dotnet" => path,
        _ => Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "..", "..", "..", "dotnet"),
    };

    // The caches of the user's tools stay as they are.
    private async Task<(int Code, string Output)> RunAsync(string program, params string[] words)
    {
        var variables = new Dictionary<string, string>
        {
            ["DOTNET_CLI_HOME"] = folder.Path,
            ["XDG_CONFIG_HOME"] = folder.Path,
            ["NUGET_PACKAGES"] = Path.Combine(folder.Path, "cache"),
            ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1",
            ["DOTNET_NOLOGO"] = "1",
            ["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "..", "..", "..")),
        };
        await using var process = new ManagedProcess(program, variables, words);
        process.Start();
        await process.OutputEnded.WaitAsync(WaitLimit, TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(() => process.HasExited, WaitLimit);
        return (process.ExitCode, string.Concat(process.Output.Select(line => line + "\n")));
    }
}
