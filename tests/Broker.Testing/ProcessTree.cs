using System.Globalization;
using System.Runtime.InteropServices;

namespace Broker.Testing;

/// <summary>A process and its children, stopped and continued together.</summary>
internal static class ProcessTree
{
    private const int Continue = 18, Stop = 19;

    /// <summary>SIGSTOP, the parent first, so that no child is born meanwhile. Returns how many processes stand still.</summary>
    public static int Freeze(int root)
    {
        Signal(root, Stop);
        var children = ChildrenOf(root);
        foreach (int child in children)
        {
            Signal(child, Stop);
        }

        return children.Count + 1;
    }

    public static void Thaw(int root)
    {
        foreach (int child in ChildrenOf(root))
        {
            Signal(child, Continue);
        }

        Signal(root, Continue);
    }

    private static List<int> ChildrenOf(int parent)
    {
        var children = new List<int>();
        foreach (string folder in Directory.GetDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out int id))
            {
                continue;
            }

            try
            {
                // "pid (name) state ppid ...": the name may hold anything, so the fields are counted from its end.
                string stat = File.ReadAllText(folder + "/stat");
                if (int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture) == parent)
                {
                    children.Add(id);
                }
            }
            catch (IOException)
            {
                // It has ended meanwhile.
            }
        }

        return children;
    }

    // One that has ended meanwhile needs no signal.
    private static void Signal(int process, int signal) => _ = SendSignal(process, signal);

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int pid, int signal);
}
