using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Broker.Testing;

/// <summary>
/// A program (a .dll is run by dotnet) as a process of its own, with variables beside the inherited ones. It never outlives
/// this process, and can be started again after it ended.
/// </summary>
public class ManagedProcess : IAsyncDisposable
{
    private const int Interrupt = 2, Term = 15, Continue = 18, Stop = 19;
    private const int KeptLines = 5_000;

    // A broker is up within two seconds; with thirty processes waiting for two cores it once took half a minute.
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(120);

    private readonly Lock gate = new();
    private readonly Queue<string> output = [];
    private readonly string program;
    private readonly IReadOnlyList<string> arguments;
    private readonly IReadOnlyDictionary<string, string> environment;
    private Process? process;
    private Task exited = Task.CompletedTask;
    private Task drained = Task.CompletedTask;
    private TaskCompletionSource<string>? awaited;
    private string? awaitedText;

    public ManagedProcess(string program, IReadOnlyDictionary<string, string>? environment = null, IReadOnlyList<string>? arguments = null) =>
        (this.program, this.environment, this.arguments) = (program, environment ?? new Dictionary<string, string>(), arguments ?? []);

    public int Id => Running().Id;

    public bool HasExited => process is null or { HasExited: true };

    public int ExitCode => (process ?? throw new InvalidOperationException("Not started.")).ExitCode;

    /// <summary>The last lines of standard output and error, in order of arrival.</summary>
    public IReadOnlyList<string> Output
    {
        get
        {
            lock (gate) return [.. output];
        }
    }

    /// <summary>Done when both outputs of the ended program are read to their ends.</summary>
    public Task OutputEnded => drained;

    /// <summary>Starts the program and returns at once.</summary>
    public void Start()
    {
        if (!HasExited) throw new InvalidOperationException($"{program} is running.");

        if (!File.Exists(program)) throw new FileNotFoundException($"Not built: {program}. Build its project first.", program);

        this.process?.Dispose();
        var managed = program.EndsWith(".dll", StringComparison.Ordinal);
        string[] host = managed ? [Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", program] : [program];
        var start = new ProcessStartInfo(host[0], [.. host[1..], .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetDirectoryName(Path.GetFullPath(program)),
        };
        foreach (var (name, value) in environment) start.Environment[name] = value;

        // The Exited event replaces WaitForExitAsync, which also waits for the end of the output: a killed worker's children may hold that open.
        var exited = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        this.exited = exited.Task;
        var process = new Process { StartInfo = start, EnableRaisingEvents = true };
        process.Exited += (_, _) =>
        {
            Watchdog.Forget(process.Id);
            exited.SetResult();
        };
        var drained = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        this.drained = drained.Task;
        var streams = 2;
        void Read(string? line)
        {
            Keep(line);
            if (line is null && Interlocked.Decrement(ref streams) == 0) drained.SetResult();
        }

        process.OutputDataReceived += (_, line) => Read(line.Data);
        process.ErrorDataReceived += (_, line) => Read(line.Data);
        process.Start();
        Watchdog.Watch(process.Id);
        if (process.HasExited) Watchdog.Forget(process.Id);

        this.process = process;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Starts the program and awaits an output line that contains <paramref name="text"/>.</summary>
    public async Task<string> StartUntilAsync(string text, TimeSpan? within = null)
    {
        var seen = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (gate) (awaited, awaitedText) = (seen, text);

        Start();
        var deadline = Task.Delay(within ?? StartLimit, TimeProvider.System);
        var first = await Task.WhenAny(seen.Task, exited, deadline);
        if (first == exited)
        {
            // Its last lines may be on their way still.
            await Task.WhenAny(seen.Task, drained, deadline);
        }

        if (first == seen.Task || seen.Task.IsCompleted) return await seen.Task;

        var what = first == exited
            ? string.Create(CultureInfo.InvariantCulture, $"ended with code {ExitCode}")
            : "did not do so in time";
        throw new InvalidOperationException(
            $"{Path.GetFileName(program)} should have written '{text}' but {what}. Its last lines:\n{string.Join('\n', Output.TakeLast(40))}");
    }

    /// <summary>SIGKILL. Returns when the process is really gone.</summary>
    public async Task KillAsync()
    {
        if (HasExited) return;

        // The test's own child: the runtime reaps it, so that "exited" is the kernel's word and not a guess.
        process!.Kill();
        await exited;
    }

    /// <summary>SIGTERM, then the exit code. A process that does not go is killed, and that is an error.</summary>
    public Task<int> StopAsync(TimeSpan? within = null) => EndAsync(Term, within);

    /// <summary>The same with SIGINT, as Ctrl+C sends it.</summary>
    public Task<int> InterruptAsync(TimeSpan? within = null) => EndAsync(Interrupt, within);

    private async Task<int> EndAsync(int signal, TimeSpan? within)
    {
        var process = Running();
        Signal(signal);
        try
        {
            await exited.WaitAsync(within ?? TimeSpan.FromSeconds(30));
        }
        catch (TimeoutException e)
        {
            await KillAsync();
            throw new InvalidOperationException(
                $"{Path.GetFileName(program)} did not end on signal {signal}. Its last lines:\n{string.Join('\n', Output.TakeLast(40))}", e);
        }

        return process.ExitCode;
    }

    /// <summary>SIGSTOP: the process lives and does nothing, as in a long pause of its machine.</summary>
    public void Freeze() => Signal(Stop);

    /// <summary>SIGCONT: ends <see cref="Freeze"/>.</summary>
    public void Thaw() => Signal(Continue);

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        process?.Dispose();
        GC.SuppressFinalize(this);
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int pid, int signal);

    private Process Running() => HasExited ? throw new InvalidOperationException($"{program} is not running.") : process!;

    private void Signal(int signal)
    {
        if (SendSignal(Running().Id, signal) != 0)
        {
            throw new InvalidOperationException($"Signal {signal} to {program}: error {Marshal.GetLastPInvokeError()}.");
        }
    }

    private void Keep(string? line)
    {
        if (line is null) return;

        lock (gate)
        {
            output.Enqueue(line);
            if (output.Count > KeptLines) output.Dequeue();

            if (awaitedText is not null && line.Contains(awaitedText, StringComparison.Ordinal))
            {
                awaited!.TrySetResult(line);
                awaitedText = null;
            }
        }
    }
}
