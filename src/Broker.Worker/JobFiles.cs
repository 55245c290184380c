using System.Globalization;
using System.Text.Json;

namespace Broker.Worker;

/// <summary>The folder of one attempt, readable by its owner only: upstream outputs in, outputs out.</summary>
internal sealed class JobFiles : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("broker-job-").FullName;
    private readonly ClaimedJob _job;

    public JobFiles(ClaimedJob job)
    {
        _job = job;
        string upstream = job.UpstreamOutputs is { ValueKind: JsonValueKind.Object } given ? given.GetRawText() : "{}";
        File.WriteAllText(UpstreamPath, upstream);
        File.WriteAllBytes(OutputPath, []);
    }

    public string OutputPath => Path.Combine(_folder, "output");
    private string UpstreamPath => Path.Combine(_folder, "upstream.json");

    public IEnumerable<KeyValuePair<string, string>> Environment =>
    [
        new("BROKER_OUTPUT", OutputPath),
        new("BROKER_UPSTREAM", UpstreamPath),
        new("BROKER_WORKFLOW", _job.WorkflowId),
        new("BROKER_JOB", _job.JobId),
        new("BROKER_ATTEMPT", _job.Attempt.ToString(CultureInfo.InvariantCulture)),

        // By the name that tracing tools look for; empty where the run belongs to no trace, so that the worker's own is not passed on.
        new("TRACEPARENT", _job.Traceparent ?? ""),
    ];

    public void Dispose()
    {
        try
        {
            Directory.Delete(_folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The command may have made files there that we may not remove; the system clears its folder for temporary files.
        }
    }
}
