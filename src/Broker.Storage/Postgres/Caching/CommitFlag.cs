namespace Broker.Storage.Postgres.Caching;

/// <summary>Whether a transaction has been committed.</summary>
internal sealed class CommitFlag
{
    private volatile bool isCommitted;

    /// <summary>Of what was read from a table.</summary>
    public static CommitFlag Past { get; } = new() { isCommitted = true };

    public bool IsCommitted => isCommitted;

    public void Committed() => isCommitted = true;
}
