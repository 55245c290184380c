using Broker.Storage.Contracts;
using Npgsql;

namespace Broker.Storage.Postgres;

/// <summary>
/// Warnings of one connection. A COMMIT whose wait for a synchronous standby was cancelled succeeds with a warning. The transaction is on the
/// primary alone, and a failover loses it. The driver cancels at its command timeout, an operator at any time.
/// </summary>
internal sealed class CommitWarnings
{
    /// <summary>
    /// First statement of a session, before the question of <see cref="EpochWatch"/> and in its exchange. A role, a database or a URL may have set
    /// <c>error</c>. Then the server sends no warning, and a commit that no standby has would count as confirmed.
    /// </summary>
    public const string Show = "SET client_min_messages = warning";

    /// <summary>The same for one transaction, where the session belongs to a pooler. It returns no rows, and no warning outside a transaction block.</summary>
    public const string ShowLocally = "DO $$ BEGIN SET LOCAL client_min_messages = warning; END $$";

    public CommitWarnings(NpgsqlConnection connection) => connection.Notice += (_, sent) =>
    {
        if (sent.Notice.InvariantSeverity is "WARNING") First ??= sent.Notice;
    };

    /// <summary>The first one since <see cref="Clear"/>.</summary>
    public PostgresNotice? First { get; private set; }

    public void Clear() => First = null;

    /// <summary>
    /// Whether a COMMIT that failed so may have taken effect all the same: all but what PostgreSQL rolls back for. A connection can be lost, and a
    /// statement behind the COMMIT fail, after it was done.
    /// </summary>
    /// <param name="fault">Fault of the exchange.</param>
    /// <param name="before">The statement that stood before the COMMIT in it, if there was one: the server stops at the first that fails.</param>
    public static bool MayHaveCommitted(Exception fault, NpgsqlBatchCommand? before = null) =>
        fault.FindInner<PostgresException>() is not { } refused || (refused.SqlState[..2] is not ("40" or "23") && (before is null || refused.BatchCommand != before));
}
