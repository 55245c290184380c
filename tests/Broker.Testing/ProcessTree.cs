using System.Globalization;
using System.Runtime.InteropServices;

namespace Broker.Testing;

/// <summary>A process and its children, seen as one.</summary>
internal static class ProcessTree
{
    private const int Continue = 18, Stop = 19;

    /// <summary>SIGSTOP, the parent first, so that no child is born meanwhile. Returns how many processes stand still.</summary>
    public static int Freeze(int root)
    {
        Signal(root, Stop);
        var children = ChildrenOf(root);
        foreach (var child in children) Signal(child, Stop);

        return children.Count + 1;
    }

    public static void Thaw(int root)
    {
        foreach (var child in ChildrenOf(root)) Signal(child, Continue);

        Signal(root, Continue);
    }

    /// <summary>Processor time of these processes and of their ended children.</summary>
    public static TimeSpan ProcessorTime(int root)
    {
        // Own and ended children's time, in user and system mode; ticks of 10 ms on every Linux.
        var ticks = FieldsOf(root)[11..15].Sum(Number) + ChildrenOf(root).Sum(child => FieldsOf(child) is { Length: > 12 } fields ? fields[11..13].Sum(Number) : 0);
        return TimeSpan.FromMilliseconds(10 * ticks);

        static long Number(string field) => long.Parse(field, CultureInfo.InvariantCulture);
    }

    private static List<int> ChildrenOf(int parent)
    {
        var children = new List<int>();
        foreach (var folder in Directory.GetDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var id)) continue;

            if (FieldsOf(id) is { Length: > 1 } fields && int.Parse(fields[1], CultureInfo.InvariantCulture) == parent) children.Add(id);
        }

        return children;
    }

    /// <summary>State, parent and so on; none when the process has ended.</summary>
    private static string[] FieldsOf(int process)
    {
        try
        {
            // "pid (name) state ppid ...": the name may hold anything, so the fields are counted from its end.
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/stat"));
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return [];
        }
    }

    // One that has ended meanwhile needs no signal.
    private static void Signal(int process, int signal) => _ = SendSignal(process, signal);

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int pid, int signal);
}
