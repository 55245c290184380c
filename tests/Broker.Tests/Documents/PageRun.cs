using System.Diagnostics;
using Broker.Testing;
using Xunit;

namespace Broker.Tests.Documents;

/// <summary>Runs command blocks of a page in one shell, and compares their output with the page.</summary>
internal static class PageRun
{
    private const string ShownAddress = "http://localhost:3000";
    private const char Mark = '\u001e';

    // A worker in the background ends with the page.
    private const string Prelude = "trap 'kill $(jobs -p) 2>/dev/null' EXIT";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <param name="path">The page, for messages.</param>
    /// <param name="blocks">Its blocks.</param>
    /// <param name="address">Address of the broker that they talk to.</param>
    /// <param name="folder">Folder in which they run; it stands for /tmp too.</param>
    /// <param name="database">Database of the broker, for commands that work on it.</param>
    public static async Task CheckAsync(string path, IReadOnlyList<CommandBlock> blocks, Uri address, string folder, string database)
    {
        var script = string.Concat(blocks.Select(block => $"{block.Commands}printf '{Mark}'\n"))
            .Replace(ShownAddress, address.ToString().TrimEnd('/'), StringComparison.Ordinal)
            .Replace("/tmp/", $"{folder}/", StringComparison.Ordinal)
            .Replace("dotnet run --project src/Broker.Worker --", $"dotnet '{RepositoryLayout.WorkerProgram()}'", StringComparison.Ordinal);
        var (output, errors) = await RunAsync($"{Prelude}\nbroker() {{ dotnet '{RepositoryLayout.HostProgram()}' \"$@\"; }}\n{script}", folder, database, address);

        var printed = output.Split(Mark);
        Assert.True(printed.Length == blocks.Count + 1, $"The shell ended within block {printed.Length}:\n{output}\n{errors}");
        foreach (var (block, actual) in blocks.Zip(printed))
        {
            if (block.Output is { } shown) Assert.True(ShownOutput.Fits(shown, actual), $"{path} shows:\n{shown}\nbut its commands print:\n{actual}\n{errors}");
        }
    }

    private static async Task<(string Output, string Errors)> RunAsync(string script, string folder, string database, Uri address)
    {
        var file = Path.Combine(folder, "page.sh");
        await File.WriteAllTextAsync(file, script, Ct);
        var start = new ProcessStartInfo("bash", [file])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = folder,
        };
        start.Environment["DATABASE_URL"] = database;
        start.Environment["BROKER_SERVER"] = address.ToString();
        start.Environment["XDG_CONFIG_HOME"] = folder;
        using var shell = Process.Start(start)!;
        shell.StandardInput.Close();
        try
        {
            var output = shell.StandardOutput.ReadToEndAsync(Ct);
            var errors = shell.StandardError.ReadToEndAsync(Ct);
            await Task.WhenAll(output, errors, shell.WaitForExitAsync(Ct)).WaitAsync(TimeSpan.FromMinutes(5), Ct);
            return (await output, await errors);
        }
        finally
        {
            shell.Kill(entireProcessTree: true);
        }
    }
}
