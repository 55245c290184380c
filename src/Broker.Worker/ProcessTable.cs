using System.Globalization;
using System.Text;

namespace Broker.Worker;

/// <summary>One line of the system's process table.</summary>
internal readonly record struct ProcessEntry(int Id, int Parent, int Group, int Session, bool IsZombie);

/// <summary>The processes of this machine as /proc shows them.</summary>
internal static class ProcessTable
{
    public static List<ProcessEntry> Read()
    {
        var entries = new List<ProcessEntry>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) && Find(id) is { } entry)
                entries.Add(entry);
        }

        return entries;
    }

    /// <summary>Null when there is no such process.</summary>
    public static ProcessEntry? Find(int id)
    {
        if (TextOf(id, "stat") is not { } stat) return null;
        // The name in parentheses may hold anything; state, parent, group and session follow it.
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ', 5);
        return new(id, Number(fields[1]), Number(fields[2]), Number(fields[3]), fields[0] is "Z" or "X");
    }

    /// <summary>Children of this process, those that it adopted included.</summary>
    public static List<int> ChildrenOfThisProcess()
    {
        try
        {
            return [.. Directory.EnumerateDirectories("/proc/self/task")
                .SelectMany(task => File.ReadAllText(task + "/children").Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Select(Number)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A thread has just ended, or the kernel has no such file.
            return [.. Read().Where(p => p.Parent == Environment.ProcessId).Select(p => p.Id)];
        }
    }

    /// <summary>True when the process was started with this variable set to this value.</summary>
    public static bool HasVariable(int id, string name, string value) =>
        TextOf(id, "environ") is { } block && ('\0' + block).Contains($"\0{name}={value}\0", StringComparison.Ordinal);

    /// <summary>The processes that <paramref name="isRoot"/> picks, and all that descend from them.</summary>
    public static IEnumerable<ProcessEntry> WithDescendants(IReadOnlyList<ProcessEntry> table, Func<ProcessEntry, bool> isRoot)
    {
        var children = table.ToLookup(p => p.Parent);
        var open = new Stack<ProcessEntry>(table.Where(isRoot));
        var seen = new HashSet<int>();
        while (open.TryPop(out var process))
        {
            if (!seen.Add(process.Id)) continue;
            yield return process;
            foreach (var child in children[process.Id]) open.Push(child);
        }
    }

    private static string? TextOf(int id, string file)
    {
        try
        {
            return File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/{file}"), Encoding.Latin1);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
