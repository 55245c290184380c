using System.Diagnostics.CodeAnalysis;
using System.IO.Pipes;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Broker.Worker;

/// <summary>
/// Reads both pipes of a command line by line, on a thread of its own. A wait for the broker blocks this thread, and heartbeats need the
/// thread pool. The reader ends with the pipes, or by <see cref="FinishAsync"/> although another process still holds them.
/// </summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "The reading thread disposes of the handle as it ends.")]
internal sealed class OutputReader
{
    // More than a pipe holds by default; a process that writes on cannot keep the reader for ever.
    private const int MaxLastBytes = 1024 * 1024;

    private readonly Pipe[] pipes;
    private readonly Func<string, string, bool> take;
    private readonly SafeFileHandle wake;
    private readonly Task done;

    /// <param name="line">Gets the stream's name and a line with its newline; false ends the reading.</param>
    public OutputReader(Stream stdout, Stream stderr, IReadOnlyCollection<string> secrets, Func<string, string, bool> line)
    {
        pipes = [new Pipe("stdout", stdout, secrets), new Pipe("stderr", stderr, secrets)];
        take = line;
        var wake = Libc.EventFd(0, Libc.CloseOnExec | Libc.NonBlocking);
        if (wake < 0) throw new IOException($"no descriptor for reading output: error {Marshal.GetLastPInvokeError()}");
        this.wake = new SafeFileHandle(wake, ownsHandle: true);
        done = Task.Factory.StartNew(Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Returns when both pipes have ended, or after <paramref name="most"/>.</summary>
    public async Task WaitForEndAsync(TimeSpan most) =>
        await done.WaitAsync(most).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    /// <summary>Reads the present content of the pipes and ends. The token ends the wait for it, when the lines are not taken.</summary>
    public async Task FinishAsync(CancellationToken ct)
    {
        try
        {
            _ = Libc.EventFdWrite(wake, 1);
        }
        catch (ObjectDisposedException)
        {
            // The thread has ended by itself.
        }

        await done.WaitAsync(ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void Run()
    {
        try
        {
            var taken = ReadUntilWoken() && Array.TrueForAll(pipes, ReadRest);
            foreach (var pipe in pipes) taken = taken && pipe.End().All(line => take(pipe.Name, line));
        }
        finally
        {
            foreach (var pipe in pipes) pipe.Dispose();
            wake.Dispose();
        }
    }

    /// <summary>False when the lines are not wanted any more.</summary>
    private bool ReadUntilWoken()
    {
        var files = new Libc.PollFd[pipes.Length + 1];
        while (pipes.Any(p => p.IsOpen))
        {
            for (var i = 0; i < pipes.Length; i++) files[i] = new() { File = pipes[i].IsOpen ? pipes[i].Descriptor : -1, Events = Libc.PollIn };
            files[^1] = new() { File = (int)wake.DangerousGetHandle(), Events = Libc.PollIn };

            // An interrupted call comes back with nothing to read.
            if (Libc.Poll(files, (nuint)files.Length, -1) < 0) continue;
            for (var i = 0; i < pipes.Length; i++)
            {
                if (files[i].Happened != 0 && !Take(pipes[i], out _)) return false;
            }

            if (files[^1].Happened != 0) return true;
        }

        return true;
    }

    private bool ReadRest(Pipe pipe)
    {
        var file = new Libc.PollFd[1];
        for (var total = 0; pipe.IsOpen && total < MaxLastBytes;)
        {
            file[0] = new() { File = pipe.Descriptor, Events = Libc.PollIn };
            if (Libc.Poll(file, 1, 0) <= 0) return true;
            if (!Take(pipe, out var count)) return false;
            total += count;
        }

        return true;
    }

    private bool Take(Pipe pipe, out int count)
    {
        foreach (var line in pipe.Read(out count))
        {
            if (!take(pipe.Name, line)) return false;
        }

        return true;
    }

    private sealed class Pipe(string name, Stream stream, IReadOnlyCollection<string> secrets) : IDisposable
    {
        private readonly LineCutter cutter = new();
        private readonly SecretMask mask = new(secrets);
        private readonly byte[] buffer = new byte[LineCutter.MaxBytes];

        public string Name { get; } = name;
        public bool IsOpen { get; private set; } = true;
        public int Descriptor { get; } = (int)((PipeStream)stream).SafePipeHandle.DangerousGetHandle();

        /// <summary>Call when there is something to read: the call does not return before.</summary>
        public IEnumerable<string> Read(out int count)
        {
            try
            {
                count = stream.Read(buffer);
            }
            catch (IOException)
            {
                // A broken pipe is an end like any other.
                count = 0;
            }

            IsOpen = count > 0;
            return cutter.Add(mask.Add(buffer.AsMemory(0, count)));
        }

        /// <summary>The last line, which has no newline.</summary>
        public IEnumerable<string> End()
        {
            foreach (var line in cutter.Add(mask.End())) yield return line;
            if (cutter.End() is { } rest) yield return rest;
        }

        public void Dispose() => stream.Dispose();
    }
}
