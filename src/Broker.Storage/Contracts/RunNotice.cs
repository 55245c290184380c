using System.Text.Json;

namespace Broker.Storage.Contracts;

/// <summary>Subjects of notices. Numbers are stored.</summary>
[Flags]
public enum NoticeKinds
{
    None = 0,
    RunSucceeded = 1,
    RunFailed = 2,
    RunCancelled = 4,

    /// <summary>A step waits for the answer of a person.</summary>
    RunWaits = 8,

    /// <summary>A step failed because its leases were lost too often.</summary>
    StepPoisoned = 16,

    /// <summary>No worker can take the steps of a queue.</summary>
    QueueStarved = 32,
}

/// <summary>Something that happened to a run.</summary>
public sealed record RunNotice
{
    /// <summary>Unique, and the same each time that it is sent.</summary>
    public required string Id { get; init; }
    public required NoticeKinds Kind { get; init; }
    public required string Workflow { get; init; }
    public required string InstanceId { get; init; }
    public required int Number { get; init; }
    public required string Version { get; init; }
    public required DateTimeOffset At { get; init; }

    /// <summary>The step that it is about; null: the run as a whole.</summary>
    public string? Step { get; init; }

    /// <summary>Type of the event that a step waits for.</summary>
    public string? Event { get; init; }
    public string? ErrorName { get; init; }

    /// <summary>At most <see cref="LongestMessage"/> characters.</summary>
    public string? ErrorMessage { get; init; }

    public const int LongestMessage = 300;

    public static RunNotice Read(OutboxEntry entry) => JsonSerializer.Deserialize<RunNotice>(entry.BodyJson)!;
}

/// <summary>Notices that a subscription asks for.</summary>
/// <param name="Kinds">Of these kinds.</param>
/// <param name="Workflows">About runs of these workflows; null: all.</param>
public sealed record NoticeWish(NoticeKinds Kinds, IReadOnlySet<string>? Workflows);

/// <summary>Notices that transactions write. Without a wish they write none, and look for none.</summary>
public interface INoticeWishes
{
    /// <summary>Replaced as a whole.</summary>
    IReadOnlyList<NoticeWish> All { get; set; }
}
