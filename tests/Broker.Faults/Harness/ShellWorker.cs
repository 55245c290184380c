using Broker.Testing;

namespace Broker.Faults.Harness;

/// <summary>The real shell worker. Its jobs find its name in $WHO.</summary>
internal static class ShellWorker
{
    public static ManagedProcess Start(Uri broker, string name, params IReadOnlyList<string> arguments)
    {
        var worker = new ManagedProcess(
            RepositoryLayout.WorkerProgram(),
            new Dictionary<string, string> { ["WHO"] = name },
            ["--server", broker.AbsoluteUri, "--id", name, "--inherit-env", "WHO", .. arguments]);
        worker.Start();
        return worker;
    }
}
