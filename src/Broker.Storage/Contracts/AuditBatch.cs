using System.Security.Cryptography;
using Broker.Storage.Tables;

namespace Broker.Storage.Contracts;

/// <summary>Entries that are written in one transaction, and once: a batch that is written again finds what it has stored already.</summary>
public sealed class AuditBatch(IReadOnlyList<AuditEntry> entries)
{
    public IReadOnlyList<AuditEntry> Entries => entries;

    /// <summary>Key of the lock that the transaction holds: the next one waits for a commit that is still under way.</summary>
    internal long Lock { get; } = BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long)));

    /// <summary>The rows, from the first try on: equal at each, instants included.</summary>
    internal IReadOnlyList<AuditRow>? Rows { get; set; }

    /// <summary>Whether a transaction with these rows may have been committed.</summary>
    internal bool MayBeStored { get; set; }
}
