using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Broker.Worker;

/// <summary>Reads a file that a job may have replaced: a regular file only, up to a limit of bytes, without waiting.</summary>
internal static class BoundedFile
{
    private const int NoSuchFile = 2;
    private const int TooManyLinks = 40;

    /// <summary>Null when there is no such file.</summary>
    /// <exception cref="FormatException">It is no regular file, is too large or cannot be read. The message holds no content.</exception>
    public static byte[]? Read(string path, int maxBytes, bool followLinks = false)
    {
        // The file is opened first and checked afterwards, so the checked file is the one that is read. A FIFO does not block an open of this kind.
        var file = Libc.Open(path, Libc.ReadOnly | Libc.NonBlocking | Libc.CloseOnExec | (followLinks ? 0 : Libc.NoFollow), 0);
        if (file < 0)
        {
            return Marshal.GetLastPInvokeError() switch
            {
                NoSuchFile => null,
                TooManyLinks => throw new FormatException("is a link; a regular file is expected"),
                var error => throw new FormatException($"cannot be read: {new Win32Exception(error).Message}"),
            };
        }

        using var handle = new SafeFileHandle(file, ownsHandle: true);
        if (!Libc.IsRegular(handle)) throw new FormatException("is not a regular file");
        return ReadAll(handle, maxBytes);
    }

    private static byte[] ReadAll(SafeFileHandle handle, int maxBytes)
    {
        try
        {
            // The count of bytes read decides: files of the kernel have length 0 and content all the same, and a file may grow meanwhile.
            var buffer = new byte[Math.Min(maxBytes, RandomAccess.GetLength(handle)) + 1];
            var length = 0;
            while (true)
            {
                var count = RandomAccess.Read(handle, buffer.AsSpan(length), length);
                if (count == 0) return buffer[..length];
                length += count;
                if (length > maxBytes) throw new FormatException($"has more than {maxBytes} bytes");
                if (length == buffer.Length) Array.Resize(ref buffer, (int)Math.Min(maxBytes + 1L, length * 2L + 4096));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FormatException($"cannot be read: {e.Message}", e);
        }
    }
}
