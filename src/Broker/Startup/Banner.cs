using Broker.Auth;
using Broker.Settings;
using Broker.Ui.Routing;
using Broker.WorkflowFiles;

namespace Broker.Startup;

/// <summary>Start banner at a terminal, below the line that names the address: where to look, where the data is, and which requests are let in.</summary>
internal sealed class Banner(BrokerSettings settings, ApiKeyCache keys, StartGate gate, WorkflowFileRegistration workflows)
{
    public void Write(TextWriter output, string address)
    {
        output.WriteLine();
        output.WriteLine($"  Console     {address}{ConsoleRoutes.Prefix}/");
        output.WriteLine($"  Routes      {address}/docs");
        output.WriteLine($"  Data        {settings.Target().Name}");
        output.WriteLine($"  Workflows   {(gate.IsOpen ? Loaded() : "loaded when the database answers; until then requests are answered with 503")}");
        output.WriteLine($"  Access      {(gate.IsOpen ? Access() : "decided when the database answers")}");
        output.WriteLine();
    }

    private string Loaded() => workflows.Loaded switch
    {
        0 => $"no file in {Path.GetFullPath(settings.WorkflowsDir)}: the sample '{SampleWorkflow.Create().Id}'",
        var files => $"{files} loaded from {Path.GetFullPath(settings.WorkflowsDir)}",
    };

    private string Access() => keys.AreRequired ? "with an API key"
        : ListenAddress.BeyondLoopback(settings) is null ? "no keys: this machine only"
        : "no keys: every machine that reaches the port";
}
