using System.CommandLine;
using System.Diagnostics;
using System.Globalization;

namespace Broker.Commands;

/// <summary><c>broker dev</c>: a broker on a temporary database, with the sample workflow and a shell worker, until Ctrl+C.</summary>
internal static class DevCommand
{
    private const string WorkerFile = "broker-worker.dll";
    private const string WorkerVariable = "BROKER_WORKER";

    public static Command Create(string[] settings)
    {
        var keep = new Option<DirectoryInfo?>("--data") { Description = "Folder of the database; without it a temporary one is removed at the end", HelpName = "DIR" };
        var labels = new Option<string>("--labels") { Description = "Labels of the worker", DefaultValueFactory = _ => "linux,ubuntu-latest", HelpName = "A,B" };
        var noWorker = new Option<bool>("--no-worker") { Description = "Starts no worker" };
        var command = new Command("dev", "Serve on a temporary database, with a sample and a shell worker, until Ctrl+C") { keep, labels, noWorker };
        command.SetAction((line, _) => RunAsync(settings, line.GetValue(keep), line.GetValue(noWorker) ? null : line.GetValue(labels), line.InvocationConfiguration.Output, line.InvocationConfiguration.Error));
        return command;
    }

    private static async Task<int> RunAsync(string[] settings, DirectoryInfo? keep, string? labels, TextWriter output, TextWriter errors)
    {
        var folder = keep ?? Directory.CreateTempSubdirectory("broker-dev-");
        folder.Create();
        Process? worker = null;
        try
        {
            var own = settings.Any(word => word.Contains("DATABASE_URL", StringComparison.OrdinalIgnoreCase) || word.Contains("DatabaseUrl", StringComparison.OrdinalIgnoreCase))
                ? settings
                : [.. settings, $"--DATABASE_URL=sqlite:{Path.Combine(folder.FullName, "broker.db")}"];
            return await ServeCommand.RunAsync([.. own, "--HOST=127.0.0.1", "--Serilog:MinimumLevel:Default=Warning"], errors, address =>
            {
                worker = labels is null ? null : StartWorker(address, labels, folder);
                Welcome(output, address, worker is not null, labels is not null, keep ?? folder, isKept: keep is not null);
            });
        }
        finally
        {
            if (worker is { HasExited: false })
            {
                worker.Kill(entireProcessTree: true);
                await worker.WaitForExitAsync();
            }

            worker?.Dispose();
            if (keep is null) folder.Delete(recursive: true);
        }
    }

    private static void Welcome(TextWriter output, string address, bool hasWorker, bool wantsWorker, DirectoryInfo folder, bool isKept)
    {
        var worker = hasWorker ? "a shell worker runs jobs on this machine"
            : wantsWorker ? $"none: set {WorkerVariable} to the path of {WorkerFile}"
            : "none, as asked";
        output.WriteLine($"""

              Broker for development
              Address     {address}
              Routes      {address}/docs
              Data        {folder.FullName}{(isKept ? "" : " (removed at the end)")}
              Worker      {worker}

              Try it, in another terminal:
                broker workflows --server {address}
                broker run ci --watch --logs --server {address}

            """);
    }

    private static Process? StartWorker(string address, string labels, DirectoryInfo folder)
    {
        if (FindWorker() is not { } program) return null;
        string[] arguments = [program, "--server", address, "--labels", labels, "--slots", Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture), "--id", "dev"];
        var start = new ProcessStartInfo(Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet", arguments)
        {
            WorkingDirectory = folder.FullName,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var worker = Process.Start(start);
        worker?.BeginOutputReadLine();
        worker?.BeginErrorReadLine();
        return worker;
    }

    // Named, beside the program, or built in the next folder of the repository.
    private static string? FindWorker()
    {
        if (Environment.GetEnvironmentVariable(WorkerVariable) is { Length: > 0 } named) return File.Exists(named) ? named : null;
        var here = AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar);
        string[] places = [Path.Combine(here, "worker", WorkerFile), Path.Combine(here.Replace($"{Path.DirectorySeparatorChar}Broker{Path.DirectorySeparatorChar}", $"{Path.DirectorySeparatorChar}Broker.Worker{Path.DirectorySeparatorChar}", StringComparison.Ordinal), WorkerFile)];
        return Array.Find(places, File.Exists);
    }
}
