using System.Globalization;
using System.Runtime.InteropServices;

namespace Broker.Worker;

/// <summary>The signals that ask this process to end.</summary>
internal static class Signals
{
    private const int HangUp = 1;
    private const int BrokenPipe = 13;

    /// <summary>Without SIGHUP when it is ignored: <c>nohup</c> asks for a worker that outlives its terminal.</summary>
    public static IEnumerable<PosixSignal> ThatEnd()
    {
        yield return PosixSignal.SIGINT;
        yield return PosixSignal.SIGTERM;
        yield return PosixSignal.SIGQUIT;
        if (!IsIgnored(HangUp)) yield return PosixSignal.SIGHUP;
    }

    /// <summary>
    /// Lets jobs be ended by SIGPIPE, as <c>yes | head -1</c> expects. The runtime ignores the signal, and its children inherit that; a signal
    /// with a handler goes back to its default in a new program.
    /// </summary>
    public static void KeepBrokenPipesFromJobs()
    {
        // A function of the C library that changes nothing: managed code must not run in a signal handler.
        if (NativeLibrary.TryGetExport(NativeLibrary.GetMainProgramHandle(), "abs", out var nothing)) _ = Libc.Signal(BrokenPipe, nothing);
    }

    private static bool IsIgnored(int signal)
    {
        const string Field = "SigIgn:";
        var mask = File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith(Field, StringComparison.Ordinal));
        return mask is not null
            && ulong.TryParse(mask.AsSpan(Field.Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var ignored)
            && (ignored & (1UL << (signal - 1))) != 0;
    }
}
