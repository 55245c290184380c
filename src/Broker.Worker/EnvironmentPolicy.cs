namespace Broker.Worker;

/// <summary>Policy for a job's environment: variables that it inherits, values that its log lines hide, and the mark of its processes.</summary>
internal sealed class EnvironmentPolicy
{
    /// <summary>Given to every job; a name that ends with * stands for all that begin so.</summary>
    public static readonly IReadOnlyList<string> Always =
        ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "LC_*", "TERM", "TMPDIR", "TZ"];

    private readonly IReadOnlyDictionary<string, string> masked;
    private readonly IReadOnlyList<string> maskNames;

    public EnvironmentPolicy(WorkerOptions options, IReadOnlyDictionary<string, string> environment, Account? account = null)
    {
        Account = account;
        string[] patterns = [.. Always, .. options.InheritEnv];
        Inherited = environment
            .Where(v => v.Key != WorkerOptions.ApiKeyVariable && Array.Exists(patterns, p => Matches(p, v.Key)))
            .ToDictionary(v => v.Key, v => v.Value, StringComparer.Ordinal);
        if (account is not null) Inherited = account.In(Inherited);

        maskNames = options.MaskEnv;
        masked = environment.Where(v => maskNames.Contains(v.Key)).ToDictionary(v => v.Key, v => v.Value, StringComparer.Ordinal);
        // A job that finds the key all the same must not print it.
        ApiKey = options.ApiKey;
    }

    public Account? Account { get; }
    public IReadOnlyDictionary<string, string> Inherited { get; }
    private string? ApiKey { get; }

    /// <summary>Values to mask: those of the named variables, from the worker and from the job.</summary>
    public IReadOnlyCollection<string> SecretsOf(ClaimedJob job)
    {
        var ofJob = (job.Steps ?? []).Select(step => step.Env).Append(job.Env).OfType<IReadOnlyDictionary<string, string>>()
            .SelectMany(env => env).Concat(JobInputs.VariablesOf(job)).Where(v => maskNames.Contains(v.Key)).Select(v => v.Value);
        return [.. masked.Values.Concat(ofJob).Append(ApiKey ?? "").Where(value => value.Length > 0)];
    }

    private static bool Matches(string pattern, string name) =>
        pattern.EndsWith('*') ? name.StartsWith(pattern[..^1], StringComparison.Ordinal) : name == pattern;
}
