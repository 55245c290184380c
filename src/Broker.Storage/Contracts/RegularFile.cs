using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Broker.Storage.Contracts;

/// <summary>A file's identity and state on disk: equal when its content can be taken as unchanged.</summary>
public readonly record struct FileStamp(ulong Inode, ulong Length, DateTimeOffset Changed, uint Nanos);

/// <summary>
/// Opens regular files and nothing else. The path is resolved first without opening the file, so that a FIFO does not block and a
/// device is not touched. The checked kind is that of the file that is read.
/// </summary>
public static partial class RegularFile
{
    /// <summary>Opens for reading; the writer of a file is not held up.</summary>
    /// <param name="path">The file. Links are followed.</param>
    /// <param name="within">Real path of the folder that links must not lead out of; null: anywhere.</param>
    /// <exception cref="IOException">It cannot be opened, is not a regular file, or lies elsewhere.</exception>
    public static (SafeFileHandle File, FileStamp Stamp) Open(string path, string? within = null)
    {
        if (!OperatingSystem.IsLinux()) return OpenElsewhere(path);
        using var found = Find(path);
        var (isRegular, stamp) = Stat(found);
        if (!isRegular) throw new IOException("it is not a regular file");
        var real = RealPath(found);
        if (within is not null && !real.StartsWith(within.EndsWith('/') ? within : within + '/', StringComparison.Ordinal))
            throw new IOException("it is a link to a file outside the folder");
        return (File.OpenHandle(Descriptor(found), share: FileShare.ReadWrite | FileShare.Delete), stamp);
    }

    /// <summary>Refuses what is there and is not a regular file, without opening it.</summary>
    /// <exception cref="IOException">A folder, FIFO, socket or device.</exception>
    public static void RequireIfThere(string path, string message)
    {
        if (!OperatingSystem.IsLinux() || !Path.Exists(path)) return;
        using var found = Find(path);
        if (!Stat(found).IsRegular) throw new IOException(message);
    }

    /// <summary>The path of a folder with all links resolved.</summary>
    public static string RealPathOf(string folder)
    {
        if (!OperatingSystem.IsLinux()) return Path.GetFullPath(folder);
        using var found = Find(folder);
        return RealPath(found);
    }

    private static (SafeFileHandle File, FileStamp Stamp) OpenElsewhere(string path)
    {
        var info = new FileInfo(path);
        return (File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete), new(0, (ulong)info.Length, info.LastWriteTimeUtc, 0));
    }

    private static string Descriptor(SafeFileHandle file) => $"/proc/self/fd/{file.DangerousGetHandle()}";

    private static string RealPath(SafeFileHandle file) =>
        File.ResolveLinkTarget(Descriptor(file), returnFinalTarget: false)?.FullName ?? throw new IOException("its path cannot be resolved");

    // A handle for the path alone: opening a device or a FIFO has effects, also without reading.
    [SupportedOSPlatform("linux")]
    private static SafeFileHandle Find(string path)
    {
        const int pathOnly = 0x200000, closeOnExec = 0x80000;
        var file = open(path, pathOnly | closeOnExec, 0);
        return file.IsInvalid ? throw new IOException(Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())) : file;
    }

    [SupportedOSPlatform("linux")]
    private static (bool IsRegular, FileStamp Stamp) Stat(SafeFileHandle file)
    {
        const int emptyPath = 0x1000, kindMask = 0xF000, regular = 0x8000;
        const uint basicStats = 0x7FF;

        // struct statx has one layout on every processor: mode at 28, inode 32, size 40, time of the last change of any kind 96.
        Span<byte> status = stackalloc byte[256];
        if (statx(file, "", emptyPath, basicStats, ref MemoryMarshal.GetReference(status)) != 0)
            throw new IOException(Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError()));
        var nanos = BitConverter.ToUInt32(status[104..]);
        var changed = DateTimeOffset.FromUnixTimeSeconds(BitConverter.ToInt64(status[96..])).AddTicks(nanos / 100);
        return (
            (BitConverter.ToUInt16(status[28..]) & kindMask) == regular,
            new(BitConverter.ToUInt64(status[32..]), BitConverter.ToUInt64(status[40..]), changed, nanos));
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle open(string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(SafeFileHandle folder, string path, int flags, uint mask, ref byte status);
}
