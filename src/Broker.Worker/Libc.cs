using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Broker.Worker;

/// <summary>System calls that the runtime does not offer. Constants are those of Linux on x64 and arm64.</summary>
internal static partial class Libc
{
    public const int SigKill = 9;
    public const int SigTerm = 15;

    public const int NoHang = 1;

    public const int ReadOnly = 0;
    public const int NonBlocking = 0x800;
    public const int CloseOnExec = 0x80000;

    public const int SetDumpable = 4;
    public const int SetChildSubreaper = 36;

    public const short PollIn = 1;

    private const int AtEmptyPath = 0x1000;
    private const uint StatxBasic = 0x7FF;
    private const int FileTypeMask = 0xF000;
    private const int RegularFile = 0x8000;

    // The two architectures have swapped this flag with O_DIRECT.
    public static int NoFollow => RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm ? 0x8000 : 0x20000;

    /// <summary>True for a plain file; false for a link, folder, pipe, socket or device, or when the call fails.</summary>
    public static bool IsRegular(SafeFileHandle file)
    {
        // struct statx has one layout everywhere: stx_mode is at byte 28.
        Span<byte> buffer = stackalloc byte[256];
        return Statx(file, "", AtEmptyPath, StatxBasic, buffer) == 0
            && (BitConverter.ToUInt16(buffer[28..]) & FileTypeMask) == RegularFile;
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int pid, int signal);

    [LibraryImport("libc", EntryPoint = "waitpid", SetLastError = true)]
    public static partial int WaitPid(int pid, out int status, int options);

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    public static partial int Prctl(int option, nuint first, nuint second, nuint third, nuint fourth);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int file);

    [LibraryImport("libc", EntryPoint = "pipe", SetLastError = true)]
    public static partial int Pipe([Out] int[] ends);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(int file, byte[] bytes, nuint count);

    [LibraryImport("libc", EntryPoint = "signal", SetLastError = true)]
    public static partial nint Signal(int signal, nint handler);

    /// <summary>Comes back only when it failed.</summary>
    [LibraryImport("libc", EntryPoint = "execve", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static unsafe partial int Execute(string path, nint* arguments, nint* environment);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    public static partial int Poll([In, Out] PollFd[] files, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    public static partial int EventFd(uint value, int flags);

    /// <summary>Wakes the poll of another thread.</summary>
    [LibraryImport("libc", EntryPoint = "eventfd_write", SetLastError = true)]
    public static partial int EventFdWrite(SafeFileHandle file, ulong value);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(SafeFileHandle folder, string path, int flags, uint mask, Span<byte> buffer);

    [StructLayout(LayoutKind.Sequential)]
    public struct PollFd
    {
        public int File;
        public short Events;
        public short Happened;
    }
}
