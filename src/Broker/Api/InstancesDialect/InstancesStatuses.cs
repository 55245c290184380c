using System.Collections.Frozen;
using Broker.Core.Runs;

namespace Broker.Api.InstancesDialect;

/// <summary>The dialect's words for where a run is (instances contract 4).</summary>
internal static class InstancesStatuses
{
    /// <summary>Newer clients' word for what is queued, running or about to pause.</summary>
    public const string Active = "active";

    /// <summary>May be asked for, never occurs.</summary>
    public const string Unknown = "unknown";

    /// <summary>Statuses that a filter may name, as text.</summary>
    public const string Words = "queued, running, paused, errored, terminated, complete, waiting, waitingForPause or unknown";

    /// <summary>Statuses that a filter may name; <c>active</c> on flat paths only.</summary>
    public static IReadOnlyList<string> Asked { get; } = [.. Enum.GetValues<RunStatus>().Select(WordOf), Unknown, Active];

    private static readonly FrozenSet<RunStatus> ActiveStatuses = FrozenSet.Create(RunStatus.Queued, RunStatus.Running, RunStatus.Pausing);

    private static readonly FrozenDictionary<string, FrozenSet<RunStatus>> ByWord = Enum.GetValues<RunStatus>()
        .ToDictionary(WordOf, status => FrozenSet.Create(status))
        .Append(new(Unknown, FrozenSet<RunStatus>.Empty))
        .ToFrozenDictionary();

    public static string WordOf(RunStatus status) => status switch
    {
        RunStatus.Queued => "queued",
        RunStatus.Running => "running",
        RunStatus.Waiting => "waiting",
        RunStatus.Pausing => "waitingForPause",
        RunStatus.Paused => "paused",
        RunStatus.Succeeded => "complete",
        RunStatus.Failed => "errored",
        RunStatus.Cancelled => "terminated",
    };

    /// <param name="status">Where the run is.</param>
    /// <param name="asActive">Show the newer word where there is one.</param>
    public static string WordOf(RunStatus status, bool asActive) => asActive && ActiveStatuses.Contains(status) ? Active : WordOf(status);

    /// <summary>The statuses a filter word asks for; null when it is no such word. <c>active</c> is known on flat paths only.</summary>
    public static IReadOnlySet<RunStatus>? Find(string word, bool flat) =>
        flat && word == Active ? ActiveStatuses : ByWord.GetValueOrDefault(word);
}
