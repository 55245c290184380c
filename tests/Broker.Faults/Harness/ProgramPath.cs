namespace Broker.Faults.Harness;

/// <summary>Programs of the machine.</summary>
internal static class ProgramPath
{
    /// <summary>Full path of a program in <c>PATH</c>; null where there is none.</summary>
    public static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
}
