using System.Text;
using Broker.Core.Definitions;
using Broker.Storage.Contracts;

namespace Broker.WorkflowFiles;

/// <summary>Content of a folder.</summary>
/// <param name="Files">Sound files, by file name.</param>
/// <param name="Problems">Faults of the others.</param>
internal sealed record FolderReading(IReadOnlyList<WorkflowFile> Files, IReadOnlyList<FileProblem> Problems)
{
    /// <summary>False when the folder is there and cannot be listed: then nothing is known of its files.</summary>
    public bool IsListed { get; init; } = true;
}

/// <summary>The folder that workflows are read from, again and again; it is never written. A file that has not changed is not read again.</summary>
internal sealed class WorkflowFolder(string dir, TimeProvider clock)
{
    // The clock of a file system ticks every few milliseconds: a file written twice within a tick has one stamp for both.
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private Dictionary<string, (FileStamp Stamp, WorkflowFileResult Result)> known = new(StringComparer.Ordinal);

    /// <summary>Files directly in the folder, by name, or the one of that name. A missing folder holds none.</summary>
    public FolderReading Read(string? only = null)
    {
        string[] paths;
        string real;
        try
        {
            if (!Directory.Exists(dir))
            {
                known = new(StringComparer.Ordinal);
                return new([], []);
            }

            real = RegularFile.RealPathOf(dir);
            paths = [.. Directory.EnumerateFiles(dir).Where(path => IsWorkflow(path) && (only is null || Path.GetFileName(path) == only)).OrderBy(Path.GetFileName, StringComparer.Ordinal)];
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return new([], [new(dir, null, null, $"cannot be listed: {fault.Message}")]) { IsListed = false };
        }

        return Read(paths, real);
    }

    private FolderReading Read(string[] paths, string real)
    {
        var files = new List<WorkflowFile>();
        var problems = new List<FileProblem>();
        var loadedAs = new Dictionary<string, string>(StringComparer.Ordinal);
        var seen = new Dictionary<string, (FileStamp Stamp, WorkflowFileResult Result)>(StringComparer.Ordinal);
        foreach (var path in paths)
        {
            var name = Path.GetFileName(path);
            var id = Path.GetFileNameWithoutExtension(name);
            if (id.Length == 0)
            {
                problems.Add(new(name, null, null, "has no name before its extension, so the workflow would have no id"));
            }
            else if (!PathNames.Fits(id))
            {
                problems.Add(new(name, null, null, $"names the workflow '{id}': the id {PathNames.Message}"));
            }
            else if (loadedAs.TryGetValue(id, out var first))
            {
                problems.Add(new(name, null, null, $"has the same id '{id}' as {first}, which is kept"));
            }
            else
            {
                var (file, faults) = Read(path, name, real, seen);
                problems.AddRange(faults);
                if (file is not null)
                {
                    files.Add(file);
                    loadedAs.Add(id, name);
                }
            }
        }

        known = seen;
        return new(files, problems);
    }

    private WorkflowFileResult Read(string path, string name, string real, Dictionary<string, (FileStamp Stamp, WorkflowFileResult Result)> seen)
    {
        try
        {
            var (handle, stamp) = RegularFile.Open(path, real);
            using (handle)
            {
                var result = known.TryGetValue(path, out var before) && before.Stamp == stamp ? before.Result : Parse(name, handle);
                if (stamp.Changed < clock.GetUtcNow() - Tick) seen[path] = (stamp, result);
                return result;
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return Faulty(name, $"cannot be read: {fault.Message}");
        }
    }

    private static WorkflowFileResult Parse(string name, Microsoft.Win32.SafeHandles.SafeFileHandle handle)
    {
        // The buffer has one byte more than is allowed, which detects a longer file. Its stated length does not: the file may be growing.
        var bytes = new byte[Math.Min(RandomAccess.GetLength(handle), WorkflowFileReader.MaxCharacters) + 1];
        var length = 0;
        while (length < bytes.Length && RandomAccess.Read(handle, bytes.AsSpan(length), length) is > 0 and var more) length += more;
        if (length > WorkflowFileReader.MaxCharacters) return Faulty(name, $"is longer than {WorkflowFileReader.MaxCharacters} bytes");
        try
        {
            return WorkflowFileReader.Read(name, Utf8.GetString(bytes, 0, length));
        }
        catch (DecoderFallbackException)
        {
            return Faulty(name, "is not UTF-8 text");
        }
    }

    private static WorkflowFileResult Faulty(string name, string message) => new(null, [new(name, null, null, message)]);

    private static bool IsWorkflow(string path) => Path.GetExtension(path) is ".yml" or ".yaml" or ".json";
}
