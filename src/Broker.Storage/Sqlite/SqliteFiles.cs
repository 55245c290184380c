using System.Globalization;
using Broker.Storage.Contracts;

namespace Broker.Storage.Sqlite;

/// <summary>
/// Lock files beside the database file. The operating system holds the locks, so the end of a process ends its lock, in whatever pid
/// namespace the process ran. The database file itself is never opened here: closing it again would end the locks that SQLite has on it.
/// </summary>
internal sealed class SqliteFiles
{
    // EWOULDBLOCK of flock(2), and the sharing violation of Windows.
    private const int LinuxWouldBlock = 11, MacWouldBlock = 35, WindowsSharing = unchecked((int)0x80070020);

    private readonly string database;

    /// <exception cref="IOException">The database, or a file beside it, is a folder, FIFO, socket or device: opening a FIFO waits without end.</exception>
    public SqliteFiles(string path)
    {
        // A link and the file that it names are one database. The file need not exist yet.
        var named = new FileInfo(Path.GetFullPath(path));
        database = named.LinkTarget is null ? named.FullName : named.ResolveLinkTarget(returnFinalTarget: true)!.FullName;
        foreach (var file in (string[])[database, $"{database}-wal", $"{database}-shm", $"{database}-journal", Served, Owner, Migrating])
            RegularFile.RequireIfThere(file, $"The database file {file} cannot be used: it is not a regular file. Set DATABASE_URL=sqlite:PATH to a file that this user may write.");
    }

    /// <summary>Full path of the database file.</summary>
    public string Database => database;

    /// <summary>Held by the broker that serves the database.</summary>
    public string Served => $"{database}.lock";

    /// <summary>Which process holds <see cref="Served"/>, as text: a locked file cannot be read on every system.</summary>
    public string Owner => $"{database}.owner";

    /// <summary>Held while migrations are applied, by a broker or by a command beside it.</summary>
    public string Migrating => $"{database}.migrating";

    /// <summary>The locked file; null when another process, or another part of this one, holds it.</summary>
    public static FileStream? TryLock(string file)
    {
        try
        {
            return Open(file, FileShare.None);
        }
        catch (IOException held) when (held.HResult is LinuxWouldBlock or MacWouldBlock or WindowsSharing)
        {
            return null;
        }
    }

    /// <summary>Writes this process into <see cref="Owner"/>.</summary>
    public void NameOwner(DateTimeOffset since)
    {
        using var owner = new StreamWriter(Open(Owner, FileShare.ReadWrite));
        owner.BaseStream.SetLength(0);
        owner.Write(string.Create(
            CultureInfo.InvariantCulture, $"process {Environment.ProcessId} on {Environment.MachineName}, since {since.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}"));
    }

    /// <summary>The text of <see cref="Owner"/>.</summary>
    public string OwnerName()
    {
        try
        {
            return File.ReadAllText(Owner) is { Length: > 0 } name ? name : "a process that is just starting";
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return $"a process that {Owner} should name";
        }
    }

    private static FileStream Open(string file, FileShare share)
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = share };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new FileStream(file, options);
    }
}
