using Broker.Api.JobsDialect;
using Broker.Auth;
using Broker.Engine;
using Broker.Settings;
using Broker.Startup;

namespace Broker.WorkflowFiles;

/// <summary>
/// Registers the workflows of the folder before the host serves requests. A file with a fault is reported on standard error and left
/// out. Without any file the built-in sample is registered.
/// </summary>
internal sealed partial class WorkflowFileRegistration(
    WorkflowFileSync files, BrokerEngine engine, BrokerSettings settings, ILogger<WorkflowFileRegistration> log) : IStartStep
{
    public Task RunAsync(CancellationToken ct) => RegisterAsync(Console.Error, ct);

    /// <summary>How many files are registered.</summary>
    public int Loaded { get; private set; }

    /// <summary>Faults are also passed to tests.</summary>
    internal async Task RegisterAsync(TextWriter faults, CancellationToken ct)
    {
        Caller.Current = Caller.Broker;
        Loaded = await files.LookAsync(faults, ct);
        if (Loaded == 0) await RegisterSampleAsync(ct);
        else LogLoaded(log, Loaded, settings.WorkflowsDir);
    }

    // An existing sample stays: a caller may have registered another edition of it since.
    private async Task RegisterSampleAsync(CancellationToken ct)
    {
        var sample = SampleWorkflow.Create();
        if (await engine.LatestAsync(sample.Id, ct) is not null) return;
        await engine.RegisterAsync([JobsDocument.Read(sample, fromFile: false).Definition!], ct, makeLatest: true);
        LogSample(log, settings.WorkflowsDir, sample.Id);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Loaded {Count} workflow files from {Folder}")]
    private static partial void LogLoaded(ILogger logger, int count, string folder);

    [LoggerMessage(Level = LogLevel.Information, Message = "No workflow file in {Folder}: registered the sample {Id}")]
    private static partial void LogSample(ILogger logger, string folder, string id);
}
