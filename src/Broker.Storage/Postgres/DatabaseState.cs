using System.Data.Common;

namespace Broker.Storage.Postgres;

/// <summary>Which history of which database a connection sees. A member that could not be read is null and equals anything.</summary>
/// <param name="System">Identifier of the cluster.</param>
/// <param name="Timeline">Timeline of the cluster, eight hexadecimal digits: each promotion begins one.</param>
/// <param name="Database">Object id of the database.</param>
/// <param name="Table">File of the table of counters: a restore drops and creates it, or empties it.</param>
/// <param name="Epoch">Number that <c>broker restore</c> has written.</param>
internal readonly record struct DatabaseState(long? System, string? Timeline, long Database, long? Table, long Epoch)
{
    public bool IsLike(DatabaseState other) =>
        (System ?? other.System) == (other.System ?? System) && (Timeline ?? other.Timeline) == (other.Timeline ?? Timeline)
        && Database == other.Database && (Table ?? other.Table) == (other.Table ?? Table) && Epoch == other.Epoch;

    /// <summary>The same cluster before its last promotion: a primary that has been replaced.</summary>
    public bool IsBefore(DatabaseState other) => System is { } system && system == other.System && string.CompareOrdinal(Timeline, other.Timeline) < 0;
}

/// <summary>A number that only grows within one history.</summary>
/// <param name="Ids">The id counter.</param>
/// <param name="Written">Position in the log; null where it cannot be read.</param>
internal readonly record struct Progress(long Ids, long? Written)
{
    public bool IsBehind(Progress other) => Ids < other.Ids || Written < other.Written;

    public Progress Max(Progress other) => new(Math.Max(Ids, other.Ids), Written is null || other.Written > Written ? other.Written : Written);
}

/// <summary>One reading of both.</summary>
internal readonly record struct EpochReading(bool IsStandby, DatabaseState State, Progress Progress)
{
    private const string Columns = """
        (SELECT oid::bigint FROM pg_database WHERE datname = current_database()), pg_relation_filenode('counter')::bigint, c.epoch, c.ids
        FROM (SELECT coalesce(max(next) FILTER (WHERE name = 'epoch'), 0) AS epoch, coalesce(max(next) FILTER (WHERE name = 'run'), 0) AS ids FROM counter) c
        """;

    // The control file has the old timeline until the first checkpoint after a promotion.
    private const string Log = """
        CASE WHEN pg_is_in_recovery() THEN NULL ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END,
        CASE WHEN pg_is_in_recovery() THEN NULL ELSE pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint END
        """;

    /// <summary>The whole, and what a role may read that is not allowed the control file, or neither that nor the log.</summary>
    public static readonly IReadOnlyList<string> Statements =
    [
        $"SELECT pg_is_in_recovery(), (SELECT system_identifier FROM pg_control_system()), {Log}, {Columns}",
        $"SELECT pg_is_in_recovery(), NULL::bigint, {Log}, {Columns}",
        $"SELECT pg_is_in_recovery(), NULL::bigint, NULL::text, NULL::bigint, {Columns}",
    ];

    public static EpochReading Read(DbDataReader reader) => new(
        reader.GetBoolean(0),
        new(Long(reader, 1), reader.IsDBNull(2) ? null : reader.GetString(2), reader.GetInt64(4), Long(reader, 5), reader.GetInt64(6)),
        new(reader.GetInt64(7), Long(reader, 3)));

    private static long? Long(DbDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetInt64(column);
}
