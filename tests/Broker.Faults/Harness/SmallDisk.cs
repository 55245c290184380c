using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace Broker.Faults.Harness;

/// <summary>A file system of its own that can be filled. Only root may mount one, so without that the test is skipped.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly string filler;

    private SmallDisk(string path) => (Path, filler) = (path, System.IO.Path.Combine(path, "filler"));

    public string Path { get; }

    /// <param name="megabytes">Its size.</param>
    /// <param name="owner">Id of the user that writes there.</param>
    public static SmallDisk Mount(int megabytes, int owner)
    {
        var path = Directory.CreateTempSubdirectory("broker-disk-").FullName;
        if (Run("mount", "-t", "tmpfs", "-o", string.Create(CultureInfo.InvariantCulture, $"size={megabytes}m,mode=0700,uid={owner}"), "none", path) == 0) return new SmallDisk(path);
        Directory.Delete(path);
        Assert.Skip("A full disk needs a file system of its own, and only root may mount one.");
        throw new InvalidOperationException("Assert.Skip has returned.");
    }

    /// <summary>The disk is filled to the last byte. Returns how many there were.</summary>
    public long Fill()
    {
        var block = new byte[64 * 1024];
        using var file = new FileStream(filler, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        for (var size = block.Length; size > 0;)
        {
            try
            {
                file.Write(block, 0, size);
            }
            catch (IOException)
            {
                size /= 2;
            }
        }

        return file.Length;
    }

    public void Free() => File.Delete(filler);

    // Lazy: a server that is about to end may still have files open.
    public void Dispose()
    {
        _ = Run("umount", "-l", Path);
        Directory.Delete(Path);
    }

    private static int Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode;
    }
}
