using System.ComponentModel;
using System.Diagnostics;

namespace Broker.Worker;

/// <summary>When the folder of a job outlives it.</summary>
internal enum KeepWorkspace
{
    Never,
    Failed,
    Always,
}

/// <summary>Rule for the folders in which jobs begin: a fresh one for each attempt, below a parent, or the worker's own for all.</summary>
/// <param name="Parent">Folder of the fresh ones; null for the worker's own folder.</param>
/// <param name="Keep">When a fresh one is left there.</param>
internal sealed record WorkspacePolicy(string? Parent, KeepWorkspace Keep)
{
    /// <summary>The value of the option that stands for the worker's own folder.</summary>
    public const string None = "none";

    /// <summary>Fresh folders in the system's folder for temporary files, removed with the job.</summary>
    public static WorkspacePolicy Default => new(System.IO.Path.GetTempPath(), KeepWorkspace.Never);

    /// <exception cref="IOException">There is no place for the folder.</exception>
    public Workspace Open(Account? account)
    {
        if (Parent is null) return new Workspace(Environment.CurrentDirectory, null, account);
        var path = System.IO.Path.Combine(Parent, $"broker-work-{Guid.NewGuid():N}");
        Directory.CreateDirectory(Parent);
        Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        account?.Own(path);
        return new Workspace(path, Keep, account);
    }
}

/// <summary>The folder in which one attempt of a job begins.</summary>
/// <param name="path">The folder.</param>
/// <param name="keep">When it is left there; null for a folder that was there before.</param>
/// <param name="account">The job's user.</param>
internal sealed class Workspace(string path, KeepWorkspace? keep, Account? account) : IDisposable
{
    // A tool may have made folders there that it write-protected.
    private const string RemoveAll = """rm -rf -- "$1" 2>/dev/null || { chmod -R u+rwX -- "$1" && rm -rf -- "$1"; }""";

    private bool isKept;

    public string Path => path;

    /// <summary>Leaves the folder where it is, if the rule says so; null when it is removed.</summary>
    public string? KeptAfter(bool failure)
    {
        isKept = keep is KeepWorkspace.Always || (keep is KeepWorkspace.Failed && failure);
        return isKept ? path : null;
    }

    public void Dispose()
    {
        if (keep is null || isKept) return;
        try
        {
            if (account is null && Directory.GetFileSystemEntries(path).Length == 0)
            {
                Directory.Delete(path);
                return;
            }

            // As the job's user: a link in the folder then removes no file that the user could not remove.
            var start = new ProcessStartInfo("sh", ["-c", RemoveAll, "sh", path]) { RedirectStandardError = true, UseShellExecute = false };
            account?.ApplyTo(start);
            using var remove = Process.Start(start);
            remove?.StandardError.ReadToEnd();
            remove?.WaitForExit();
            if (Directory.Exists(path)) Directory.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or Win32Exception)
        {
            // The job may have left files there that only another user may remove.
        }
    }
}
