using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Broker.Worker;

/// <summary>Reads the API key from a file or a descriptor, and closes it.</summary>
internal static class ApiKeySource
{
    private const int MaxBytes = 4096;
    private const int MaxWaitMs = 5000;

    /// <exception cref="FormatException">Says what is wrong, without the content.</exception>
    public static string FromFile(string path)
    {
        // The operator names this file, and mounted secrets are links.
        var bytes = BoundedFile.Read(path, MaxBytes, followLinks: true) ?? throw new FormatException($"there is no file {path}");
        return Encoding.UTF8.GetString(bytes).TrimEnd('\r', '\n');
    }

    /// <exception cref="FormatException">Says what is wrong, without the content.</exception>
    public static string FromDescriptor(int descriptor)
    {
        using var file = new SafeFileHandle(descriptor, ownsHandle: true);
        try
        {
            using var stream = new FileStream(file, FileAccess.Read, bufferSize: 0);
            var bytes = new byte[MaxBytes + 1];
            var length = 0;
            while (length < bytes.Length)
            {
                var wait = new[] { new Libc.PollFd { File = descriptor, Events = Libc.PollIn } };
                if (Libc.Poll(wait, 1, MaxWaitMs) <= 0) throw new FormatException($"descriptor {descriptor} has no key and no end");
                var count = stream.Read(bytes.AsSpan(length));
                if (count == 0) break;
                length += count;
            }

            if (length > MaxBytes) throw new FormatException($"descriptor {descriptor} has more than {MaxBytes} bytes");
            return Encoding.UTF8.GetString(bytes, 0, length).TrimEnd('\r', '\n');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new FormatException($"descriptor {descriptor} cannot be read: {e.Message}", e);
        }
    }
}
