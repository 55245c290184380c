using System.Text;
using Broker.Core.Definitions;

namespace Broker.WorkflowFiles;

/// <summary>The folder that workflows are loaded from at start. It is read once and never written.</summary>
internal static class WorkflowFolder
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Files directly in the folder, by name. A missing folder holds none.</summary>
    public static (IReadOnlyList<WorkflowFile> Files, IReadOnlyList<FileProblem> Problems) Load(string dir)
    {
        var files = new List<WorkflowFile>();
        var problems = new List<FileProblem>();
        var loadedAs = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var path in Paths(dir, problems))
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
            else if (Text(path, name, problems) is { } text)
            {
                var (file, faults) = WorkflowFileReader.Read(name, text);
                problems.AddRange(faults);
                if (file is not null)
                {
                    files.Add(file);
                    loadedAs.Add(id, name);
                }
            }
        }

        return (files, problems);
    }

    private static IReadOnlyList<string> Paths(string dir, List<FileProblem> problems)
    {
        if (!Directory.Exists(dir))
        {
            return [];
        }

        try
        {
            return [.. Directory.EnumerateFiles(dir).Where(IsWorkflow).OrderBy(Path.GetFileName, StringComparer.Ordinal)];
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            problems.Add(new(dir, null, null, $"cannot be listed: {fault.Message}"));
            return [];
        }
    }

    private static bool IsWorkflow(string path) => Path.GetExtension(path) is ".yml" or ".yaml" or ".json";

    private static string? Text(string path, string name, List<FileProblem> problems)
    {
        try
        {
            using var stream = File.OpenRead(path);
            // One byte more than is allowed tells a longer file, without trusting the length that a pipe or a device states.
            var bytes = new byte[WorkflowFileReader.MaxCharacters + 1];
            var length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (length < bytes.Length)
            {
                return Utf8.GetString(bytes, 0, length);
            }

            problems.Add(new(name, null, null, $"is longer than {WorkflowFileReader.MaxCharacters} bytes"));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            problems.Add(new(name, null, null, $"cannot be read: {fault.Message}"));
        }
        catch (DecoderFallbackException)
        {
            problems.Add(new(name, null, null, "is not UTF-8 text"));
        }

        return null;
    }
}
