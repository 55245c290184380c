namespace Broker.WorkflowFiles;

/// <summary>The workflow that is there when no file could be loaded, and that the demo page's button asks for.</summary>
internal static class SampleWorkflow
{
    public static WorkflowFile Create() => new("ci-1", "ci.yml", "on: push",
    [
        Job("unit-tests", "Unit tests", 3),
        Job("lint", "Lint", 1),
        Job("typecheck", "Type check", 2),
        Job("build", "Build", 5, "unit-tests", "lint", "typecheck"),
        Job("deploy-db", "Deploy database", 2, "build"),
        Job("e2e-tests", "End-to-end tests", 4, "build"),
        Job("deploy-preview", "Deploy preview", 2, "build"),
        Job("deploy-web", "Deploy web", 3, "deploy-db"),
    ]);

    private static JobDocument Job(string id, string name, int seconds, params string[] needs) =>
        new() { Id = id, Name = name, Command = $"echo '{name}' && sleep {seconds}", DependsOn = needs };
}
