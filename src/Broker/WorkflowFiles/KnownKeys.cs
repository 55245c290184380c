namespace Broker.WorkflowFiles;

/// <summary>The keys of one kind of mapping, and hints for keys that other systems have there.</summary>
/// <param name="owner">The mapping, for messages: "a job".</param>
/// <param name="keys">Keys that are honoured.</param>
/// <param name="elsewhere">Keys that are refused, with what to do instead; nothing where there is no advice.</param>
internal sealed class KnownKeys(string owner, string[] keys, params (string Key, string Advice)[] elsewhere)
{
    private const int MostEdits = 2;

    private const string NoActions = "steps run shell commands, and no actions; write the commands into run";
    private const string NoContainers = "a job runs in its worker's system; start a worker in that image and ask for it by runs-on";
    private const string NoTokens = "jobs get no token that could be limited; remove it";
    private const string NotYet = "runs and jobs are not limited by files; remove it";

    public static readonly KnownKeys Workflow = new("a file", ["name", "on", "inputs", "env", "defaults", "jobs"],
        ("permissions", NoTokens), ("concurrency", NotYet), ("run-name", "a run is named by its id"), ("version", "the broker makes the version from the content"));

    public static readonly KnownKeys Job = new(
        "a job",
        [
            "name", "needs", "runs-on", "labels", "if", "env", "timeout", "timeout-minutes", "retries", "retry", "continue-on-error", "outputs", "steps", "run", "shell",
            "working-directory", "priority", "strategy",
        ],
        ("uses", NoActions), ("with", NoActions), ("secrets", "give secrets to the worker's environment, and its option --inherit-env"), ("services", NoContainers), ("container", NoContainers),
        ("image", NoContainers), ("permissions", NoTokens), ("concurrency", NotYet), ("environment", "write variables into env"), ("defaults", "write shell and working-directory of the job"),
        ("snapshot", ""), ("depends_on", "write needs"), ("command", "write run"), ("required_labels", "write labels"), ("max_retries", "write retries"), ("script", "write run"));

    public static readonly KnownKeys Step = new(
        "a step",
        ["id", "name", "run", "if", "env", "shell", "working-directory", "continue-on-error", "timeout", "timeout-minutes"],
        ("uses", NoActions), ("with", NoActions), ("needs", "a job has needs; steps run in their order"), ("retry", "a job has retries, and they repeat all of its steps"),
        ("retries", "a job has retries, and they repeat all of its steps"), ("outputs", "write name=value lines into $BROKER_OUTPUT"), ("script", "write run"));

    public static readonly KnownKeys Strategy = new("a strategy", ["matrix", "fail-fast"], ("max-parallel", "jobs of a matrix are not limited; use labels and the slots of workers"));

    public static readonly KnownKeys Defaults = new("defaults", ["run"]);

    public static readonly KnownKeys DefaultsOfRun = new("defaults.run", ["shell", "working-directory"]);

    public static readonly KnownKeys Retry = new("a retry", ["max", "backoff", "jitter", "retry_on_exit"]);

    public static readonly KnownKeys Backoff = new("a backoff", ["base", "max"]);

    public static readonly KnownKeys Input = new(
        "an input", ["type", "required", "default", "options", "choice", "description"], ("deprecationMessage", "write it into description"));

    public static readonly KnownKeys Schedule = new(
        "a schedule",
        ["name", "cron", "timezone", "every_ms", "overlap", "catch_up", "jitter_ms", "starts_at", "ends_at", "pause_on_failure", "inputs", "tags", "priority"],
        ("version", "a file's schedules start the file's own version"));

    public static readonly KnownKeys Dispatch = new("workflow_dispatch", ["inputs"]);

    /// <summary>Keys that are honoured.</summary>
    public IReadOnlyList<string> All => keys;

    /// <summary>Why a key is refused; null for one that is honoured. Keys with <c>x-</c> at the front of a file hold what aliases repeat.</summary>
    public string? Refusal(string key)
    {
        if (keys.Contains(key) || (this == Workflow && key.StartsWith("x-", StringComparison.Ordinal))) return null;
        if (Array.Find(elsewhere, other => other.Key == key) is { Key: not null } known) return $"not supported{(known.Advice.Length == 0 ? "" : $": {known.Advice}")}";
        var (near, edits) = keys.Select(candidate => (candidate, Edits(Plain(key), Plain(candidate)))).MinBy(pair => pair.Item2);
        return edits <= MostEdits && edits < near.Length - 1 ? $"not supported; did you mean {near}?" : $"not supported; {owner} has {string.Join(", ", keys)}";
    }

    private static string Plain(string key) => key.Replace('_', '-').ToLowerInvariant();

    /// <summary>Letters to insert, remove or replace; two that are swapped count as two.</summary>
    private static int Edits(string one, string other)
    {
        if (Math.Abs(one.Length - other.Length) > MostEdits) return int.MaxValue;
        var row = Enumerable.Range(0, other.Length + 1).ToArray();
        for (var i = 1; i <= one.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= other.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(above, row[j - 1]) + 1, diagonal + (one[i - 1] == other[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }

        return row[^1];
    }
}
