using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Broker.Worker;

/// <summary>The variables of one job: those inherited from the worker, those of its inputs and its definition, and those that name its files.</summary>
internal sealed class JobEnvironment
{
    // The kernel takes 131,072 bytes for one NAME=value with its end, and about 2 MiB for all variables and arguments of a process.
    private const int MaxVariableBytes = 131_072 - 1;
    private const int MaxTotalBytes = 1024 * 1024;

    private readonly EnvironmentPolicy policy;
    private readonly Dictionary<string, string> variables = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> tooLarge = new(StringComparer.Ordinal);
    private int bytes;

    /// <exception cref="FormatException">A variable of the job cannot be given to a process.</exception>
    public JobEnvironment(EnvironmentPolicy policy, ClaimedJob job, JobFiles files, string workspace)
    {
        this.policy = policy;
        Secrets = policy.SecretsOf(job);
        foreach (var (name, value) in policy.Inherited) Set(name, value);

        Set("BROKER_OUTPUT", files.OutputPath);
        Set("BROKER_UPSTREAM", files.UpstreamPath);
        Set("BROKER_WORKSPACE", workspace);
        Set("BROKER_WORKFLOW", job.WorkflowId);
        Set("BROKER_JOB", job.JobId);
        Set("BROKER_ATTEMPT", job.Attempt.ToString(CultureInfo.InvariantCulture));
        Set("BROKER_SUMMARY", files.SummaryPath);
        Set("BROKER_INPUTS", files.InputsPath);
        if (job.Run is { } run) Set("BROKER_RUN", run.ToString(CultureInfo.InvariantCulture));
        if (job.InstanceId is { } instance) Set("BROKER_INSTANCE", instance);

        // The name is the one that tracing tools read; empty where the run belongs to no trace, so that the worker's own is not passed on.
        Set("TRACEPARENT", job.Traceparent ?? "");

        foreach (var (name, value) in JobInputs.VariablesOf(job).Concat(job.Env ?? new Dictionary<string, string>()))
        {
            Check(name, value);
            Set(name, value);
        }
    }

    /// <summary>Too large for a process: the script sets them as variables of the shell, which commands in it can use.</summary>
    public IReadOnlyDictionary<string, string> TooLarge => tooLarge;

    /// <summary>Values that log lines must not show.</summary>
    public IReadOnlyCollection<string> Secrets { get; }

    public void ApplyTo(ProcessStartInfo start)
    {
        start.Environment.Clear();
        foreach (var (name, value) in variables) start.Environment[name] = value;
        policy.Account?.ApplyTo(start);
    }

    /// <summary>False when no program could be started with this variable.</summary>
    public static bool FitsProcess(string name, string value) => Bytes(name, value) <= MaxVariableBytes;

    /// <exception cref="FormatException">Neither a process nor a shell can have this variable.</exception>
    public static void Check(string name, string value)
    {
        if (name.Length == 0 || name.AsSpan().IndexOfAny('=', '\0') >= 0 || value.Contains('\0', StringComparison.Ordinal))
            throw new FormatException($"env {name.Replace('\0', '?')}: a variable needs a name, no = in it, and no NUL character");
    }

    private static int Bytes(string name, string value) => Encoding.UTF8.GetByteCount(name) + Encoding.UTF8.GetByteCount(value) + 2;

    private void Set(string name, string value)
    {
        var bytes = Bytes(name, value);
        if (bytes > MaxVariableBytes || this.bytes + bytes > MaxTotalBytes)
        {
            variables.Remove(name);
            tooLarge[name] = value;
            return;
        }

        tooLarge.Remove(name);
        variables[name] = value;
        this.bytes += bytes;
    }
}
