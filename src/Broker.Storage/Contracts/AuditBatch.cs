namespace Broker.Storage.Contracts;

/// <summary>Entries that are written in one transaction, and once: a batch that is written again finds the entries that it has stored already.</summary>
public sealed class AuditBatch(IReadOnlyList<AuditEntry> entries)
{
    public IReadOnlyList<AuditEntry> Entries => entries;

    /// <summary>Key of the lock that the transaction holds: a retry waits for a commit that is still under way.</summary>
    internal string Key { get; } = $"audit {Guid.NewGuid():N}";

    /// <summary>The entries with the database's instants, from the first try on: equal in each.</summary>
    internal IReadOnlyList<AuditEntry>? Stored { get; set; }

    /// <summary>Whether a transaction with these entries may have been committed.</summary>
    internal bool MayBeStored { get; set; }
}
