namespace Broker.Testing;

/// <summary>Paths of the programs that tests start.</summary>
public static class RepositoryLayout
{
    /// <summary>The folder of Broker.sln, above the running test program.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Release or Debug, as the running test program was built.</summary>
    public static string Configuration { get; } =
        AppContext.BaseDirectory.Split(Path.DirectorySeparatorChar).Contains("Release") ? "Release" : "Debug";

    public static string HostProgram(string? configuration = null) => ProgramOf("Broker", "Broker.dll", configuration);

    public static string WorkerProgram(string? configuration = null) => ProgramOf("Broker.Worker", "broker-worker.dll", configuration);

    public static string SampleProgram(string sample) => ProgramOf(sample, $"{sample}.dll", null, "samples");

    public static string HttpTestProgram() => ProgramOf("Broker.Tests", "Broker.Tests.dll", null, "tests");

    private static string ProgramOf(string project, string file, string? configuration, string folder = "src") =>
        Path.Combine(Root, folder, project, "bin", configuration ?? Configuration, "net10.0", file);

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Broker.sln"))) return folder.FullName;
        }

        throw new InvalidOperationException($"No Broker.sln above {AppContext.BaseDirectory}.");
    }
}
