using Broker.Core.Definitions;

namespace Broker.Storage.Contracts;

/// <summary>A workflow file: the definition that it holds, or why it holds none.</summary>
public sealed record FolderFile(string Name, string File, WorkflowDefinition? Definition, string? Error);

/// <summary>Change of a folder.</summary>
/// <param name="Source">The folder.</param>
/// <param name="Files">Files that are new or changed; of a whole folder all.</param>
/// <param name="Removed">Names of workflows whose files are gone.</param>
public sealed record FolderChange(string Source, IReadOnlyList<FolderFile> Files, IReadOnlyList<string> Removed)
{
    /// <summary>The folder holds nothing else: what it held before is gone.</summary>
    public bool IsWhole { get; init; }

    /// <summary>No other broker works on this database: what other folders held is gone as well.</summary>
    public bool IsAlone { get; init; }
}

/// <summary>Outcome of a change: versions that were not known before, and names that are no longer offered.</summary>
public sealed record FolderOutcome(IReadOnlyList<WorkflowDefinition> Added, IReadOnlyList<string> Withdrawn);

/// <summary>A file as it is listed.</summary>
public sealed record StoredFile(string Name, string Source, string File, string? Version, string? Error, DateTimeOffset ChangedAt);

/// <summary>
/// Workflow files of all folders on this database. A folder owns what it has put there: a broker that lacks a file of another folder
/// takes nothing away.
/// </summary>
public interface IWorkflowFileStore
{
    /// <summary>Registers, replaces and withdraws definitions in one transaction.</summary>
    Task<FolderOutcome> ApplyAsync(FolderChange change, CancellationToken ct);

    /// <summary>Files in order of name and folder, from behind the given one on.</summary>
    Task<IReadOnlyList<StoredFile>> PageAsync(StoredFile? after, int take, CancellationToken ct);

    /// <summary>Why the workflow's file cannot be read; null when it can be, or when it has none.</summary>
    Task<string?> ErrorOfAsync(string name, CancellationToken ct);
}
