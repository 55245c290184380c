using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Broker.Worker;

/// <summary>
/// Closes this process to the jobs it runs. Without this, a job of the same user could read its start environment, its arguments, its
/// memory, and the runtime's diagnostic port.
/// </summary>
internal static unsafe class OwnProcess
{
    private const string Diagnostics = "DOTNET_EnableDiagnostics";

    /// <summary>
    /// Starts the program anew in this process, unless that was done. The new program has no key in environment and arguments (it comes by a
    /// pipe), and no diagnostic port, which only a variable turns off.
    /// </summary>
    /// <exception cref="IOException">The program could not be started anew.</exception>
    public static void Close(string? apiKey)
    {
        var arguments = ReadList("/proc/self/cmdline");
        var environment = ReadList("/proc/self/environ");
        var showsKey = environment.Exists(v => IsVariable(v, WorkerOptions.ApiKeyVariable)) || arguments.Exists(WorkerOptions.ShowsApiKey);
        if (showsKey || !environment.Exists(v => IsVariable(v, Diagnostics))) StartAnew(arguments, environment, apiKey);

        // The files of this process in /proc belong to root from here on, and its memory is closed to other processes of this user.
        _ = Libc.Prctl(Libc.SetDumpable, 0, 0, 0, 0);
    }

    private static void StartAnew(List<string> arguments, List<string> environment, string? apiKey)
    {
        environment.RemoveAll(v => IsVariable(v, WorkerOptions.ApiKeyVariable));
        if (!environment.Exists(v => IsVariable(v, Diagnostics))) environment.Add(Diagnostics + "=0");
        RemoveKey(arguments);
        if (apiKey is not null) arguments.AddRange([WorkerOptions.ApiKeyDescriptorFlag, PipeWith(apiKey).ToString(CultureInfo.InvariantCulture)]);

        RemoveDiagnosticFiles();
        Libc.Execute(Environment.ProcessPath!, Pointers(arguments), Pointers(environment));
        throw new IOException($"the program cannot be started anew: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
    }

    private static bool IsVariable(string entry, string name) => entry.StartsWith(name + "=", StringComparison.Ordinal);

    private static void RemoveKey(List<string> arguments)
    {
        int at;
        while ((at = arguments.FindIndex(WorkerOptions.IsApiKeySource)) >= 0)
            arguments.RemoveRange(at, Math.Min(WorkerOptions.IsWhole(arguments[at]) ? 1 : 2, arguments.Count - at));
    }

    /// <summary>The end to read from. The text fits into the pipe, so that writing does not wait for a reader.</summary>
    private static int PipeWith(string text)
    {
        var ends = new int[2];
        var bytes = Encoding.UTF8.GetBytes(text);
        if (Libc.Pipe(ends) != 0 || Libc.Write(ends[1], bytes, (nuint)bytes.Length) != bytes.Length)
            throw new IOException($"no pipe for the key: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
        _ = Libc.Close(ends[1]);
        return ends[0];
    }

    // A program that replaces itself does not come to remove them.
    private static void RemoveDiagnosticFiles()
    {
        string[] patterns = [$"dotnet-diagnostic-{Environment.ProcessId}-*", $"clr-debug-pipe-{Environment.ProcessId}-*"];
        try
        {
            foreach (var file in patterns.SelectMany(pattern => Directory.EnumerateFiles(Path.GetTempPath(), pattern))) File.Delete(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // No folder, no files.
        }
    }

    // Byte for byte: names and values need not be UTF-8.
    private static List<string> ReadList(string path) =>
        [.. File.ReadAllText(path, Encoding.Latin1).Split('\0').SkipLast(1)];

    private static nint* Pointers(List<string> texts)
    {
        // Never freed: the program ends with the call that takes them.
        var pointers = (nint*)NativeMemory.AllocZeroed((nuint)(texts.Count + 1), (nuint)sizeof(nint));
        for (var i = 0; i < texts.Count; i++)
        {
            var bytes = Encoding.Latin1.GetBytes(texts[i]);
            pointers[i] = (nint)NativeMemory.AllocZeroed((nuint)bytes.Length + 1);
            Marshal.Copy(bytes, 0, pointers[i], bytes.Length);
        }

        return pointers;
    }
}
