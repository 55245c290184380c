namespace Broker.Storage.Contracts;

/// <summary>Files and folders for the broker's user alone: they hold inputs, results, logs, lease fences and keys. Existing files keep their mode.</summary>
public static class PrivateFiles
{
    private const UnixFileMode OfFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public static DirectoryInfo CreateFolder(string path) => OperatingSystem.IsWindows() || Directory.Exists(path)
        ? Directory.CreateDirectory(path)
        : Directory.CreateDirectory(path, OfFile | UnixFileMode.UserExecute);

    /// <summary>Creates an empty file unless there is one. SQLite reports a fault when it opens the file.</summary>
    public static void TryCreate(string path)
    {
        // An open file is never opened here as well: closing it would end the locks that SQLite holds on it in this process.
        if (OperatingSystem.IsWindows() || File.Exists(path)) return;
        try
        {
            new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OfFile }).Dispose();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
        }
    }
}
