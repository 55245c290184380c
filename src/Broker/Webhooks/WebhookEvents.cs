using Broker.Storage.Contracts;

namespace Broker.Webhooks;

/// <summary>Words of the events that a webhook is sent.</summary>
internal static class WebhookEvents
{
    /// <summary>Sent on request, whatever the subscription asks for.</summary>
    public const string Test = "webhook.test";

    private static readonly (string Word, NoticeKinds Kind)[] All =
    [
        ("run.succeeded", NoticeKinds.RunSucceeded), ("run.failed", NoticeKinds.RunFailed), ("run.cancelled", NoticeKinds.RunCancelled), ("run.waiting", NoticeKinds.RunWaits),
        ("step.poisoned", NoticeKinds.StepPoisoned), ("queue.starved", NoticeKinds.QueueStarved),
    ];

    public static string Expected { get; } = $"expected one or more of {string.Join(", ", All.Select(known => known.Word))}";

    public static string WordOf(NoticeKinds kind) => Array.Find(All, known => known.Kind == kind).Word;

    public static IReadOnlyList<string> WordsOf(NoticeKinds kinds) => [.. All.Where(known => kinds.HasFlag(known.Kind)).Select(known => known.Word)];

    /// <summary>The kinds of that list; null when it is empty or has another word in it.</summary>
    public static NoticeKinds? Read(IReadOnlyList<string>? words)
    {
        if (words is null or { Count: 0 } || !words.All(word => Array.Exists(All, known => known.Word == word))) return null;
        return words.Aggregate(NoticeKinds.None, (kinds, word) => kinds | Array.Find(All, known => known.Word == word).Kind);
    }
}
