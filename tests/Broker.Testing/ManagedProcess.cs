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

    private readonly Lock _gate = new();
    private readonly Queue<string> _output = [];
    private readonly string _program;
    private readonly IReadOnlyList<string> _arguments;
    private readonly IReadOnlyDictionary<string, string> _environment;
    private Process? _process;
    private Task _exited = Task.CompletedTask;
    private Task _drained = Task.CompletedTask;
    private TaskCompletionSource<string>? _awaited;
    private string? _awaitedText;

    public ManagedProcess(string program, IReadOnlyDictionary<string, string>? environment = null, IReadOnlyList<string>? arguments = null) =>
        (_program, _environment, _arguments) = (program, environment ?? new Dictionary<string, string>(), arguments ?? []);

    public int Id => Running().Id;

    public bool HasExited => _process is null or { HasExited: true };

    public int ExitCode => (_process ?? throw new InvalidOperationException("Not started.")).ExitCode;

    /// <summary>The last lines of standard output and error, in order of arrival.</summary>
    public IReadOnlyList<string> Output
    {
        get
        {
            lock (_gate)
            {
                return [.. _output];
            }
        }
    }

    /// <summary>Done when both outputs of the ended program are read to their ends.</summary>
    public Task OutputEnded => _drained;

    /// <summary>Starts the program and returns at once.</summary>
    public void Start()
    {
        if (!HasExited)
        {
            throw new InvalidOperationException($"{_program} is running.");
        }

        if (!File.Exists(_program))
        {
            throw new FileNotFoundException($"Not built: {_program}. Build its project first.", _program);
        }

        _process?.Dispose();
        bool managed = _program.EndsWith(".dll", StringComparison.Ordinal);
        string[] host = managed ? [Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", _program] : [_program];
        var start = new ProcessStartInfo(host[0], [.. host[1..], .. _arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetDirectoryName(Path.GetFullPath(_program)),
        };
        foreach (var (name, value) in _environment)
        {
            start.Environment[name] = value;
        }

        // Not WaitForExitAsync: that also waits for the end of the output, which a killed worker's own children may hold open.
        var exited = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _exited = exited.Task;
        var process = new Process { StartInfo = start, EnableRaisingEvents = true };
        process.Exited += (_, _) =>
        {
            Watchdog.Forget(process.Id);
            exited.SetResult();
        };
        var drained = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _drained = drained.Task;
        int streams = 2;
        void Read(string? line)
        {
            Keep(line);
            if (line is null && Interlocked.Decrement(ref streams) == 0)
            {
                drained.SetResult();
            }
        }

        process.OutputDataReceived += (_, line) => Read(line.Data);
        process.ErrorDataReceived += (_, line) => Read(line.Data);
        process.Start();
        Watchdog.Watch(process.Id);
        if (process.HasExited)
        {
            Watchdog.Forget(process.Id);
        }

        _process = process;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Starts the program and awaits an output line that contains <paramref name="text"/>.</summary>
    public async Task<string> StartUntilAsync(string text, TimeSpan? within = null)
    {
        var seen = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            (_awaited, _awaitedText) = (seen, text);
        }

        Start();
        var deadline = Task.Delay(within ?? StartLimit);
        var first = await Task.WhenAny(seen.Task, _exited, deadline);
        if (first == _exited)
        {
            // Its last lines may be on their way still.
            await Task.WhenAny(seen.Task, _drained, deadline);
        }

        if (first == seen.Task || seen.Task.IsCompleted)
        {
            return await seen.Task;
        }

        string what = first == _exited
            ? string.Create(CultureInfo.InvariantCulture, $"ended with code {ExitCode}")
            : "did not do so in time";
        throw new InvalidOperationException(
            $"{Path.GetFileName(_program)} should have written '{text}' but {what}. Its last lines:\n{string.Join('\n', Output.TakeLast(40))}");
    }

    /// <summary>SIGKILL. Returns when the process is really gone.</summary>
    public async Task KillAsync()
    {
        if (HasExited)
        {
            return;
        }

        // The test's own child: the runtime reaps it, so that "exited" is the kernel's word and not a guess.
        _process!.Kill();
        await _exited;
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
            await _exited.WaitAsync(within ?? TimeSpan.FromSeconds(30));
        }
        catch (TimeoutException e)
        {
            await KillAsync();
            throw new InvalidOperationException(
                $"{Path.GetFileName(_program)} did not end on signal {signal}. Its last lines:\n{string.Join('\n', Output.TakeLast(40))}", e);
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
        _process?.Dispose();
        GC.SuppressFinalize(this);
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int pid, int signal);

    private Process Running() => HasExited ? throw new InvalidOperationException($"{_program} is not running.") : _process!;

    private void Signal(int signal)
    {
        if (SendSignal(Running().Id, signal) != 0)
        {
            throw new InvalidOperationException($"Signal {signal} to {_program}: error {Marshal.GetLastPInvokeError()}.");
        }
    }

    private void Keep(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_gate)
        {
            _output.Enqueue(line);
            if (_output.Count > KeptLines)
            {
                _output.Dequeue();
            }

            if (_awaitedText is not null && line.Contains(_awaitedText, StringComparison.Ordinal))
            {
                _awaited!.TrySetResult(line);
                _awaitedText = null;
            }
        }
    }
}
