using System.Diagnostics;
using System.Text;

namespace Broker.Worker.Tests;

/// <summary>The built worker as a process of its own, and its output.</summary>
internal sealed class WorkerProgram : IAsyncDisposable
{
    private readonly StringBuilder output = new();
    private bool disposed;

    public WorkerProgram(FakeBroker broker, string[]? args = null, (string Name, string? Value)[]? environment = null, string? wrapper = null)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "broker-worker.dll");
        string[] command =
        [
            .. wrapper?.Split(' ') ?? [], Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", program,
            "--server", broker.Address.AbsoluteUri, "--lease-ttl", "10", "--wait", "1", "--grace", "0", .. args ?? [],
        ];
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment.Remove("DOTNET_EnableDiagnostics");
        start.Environment.Remove(WorkerOptions.ApiKeyVariable);
        foreach (var (name, value) in environment ?? [])
        {
            if (value is null) start.Environment.Remove(name);
            else start.Environment[name] = value;
        }

        Process = Process.Start(start)!;
        Process.OutputDataReceived += (_, e) => Keep(e.Data);
        Process.ErrorDataReceived += (_, e) => Keep(e.Data);
        Process.BeginOutputReadLine();
        Process.BeginErrorReadLine();
    }

    public Process Process { get; }

    public string Output
    {
        get
        {
            lock (output) return output.ToString();
        }
    }

    public Task Printed(string part) => Eventually.True(() => Output.Contains(part, StringComparison.Ordinal), $"'{part}' in: {Output}");

    public void Signal(int number) => _ = Libc.Kill(Process.Id, number);

    public async Task<int> EndAsync()
    {
        await Process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
        return Process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (disposed) return;
        disposed = true;
        if (!Process.HasExited)
        {
            Signal(Libc.SigTerm);
            try
            {
                await EndAsync();
            }
            catch (TimeoutException)
            {
                Process.Kill();
            }
        }

        Process.Dispose();
    }

    private void Keep(string? line)
    {
        lock (output) output.AppendLine(line);
    }
}
