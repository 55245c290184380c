using System.Diagnostics;
using System.Globalization;
using Broker.Benchmarks.Harness;
using Broker.Testing;
using Microsoft.Data.Sqlite;

namespace Broker.Benchmarks.Yardsticks;

/// <summary>Yardstick: SQLite without a broker, prepared claims in one transaction and their completions in the next.</summary>
internal static class SqliteCommands
{
    public static IEnumerable<Scenario> All()
    {
        foreach (var batch in (int[])[1, 50, 200])
        {
            yield return new(
                string.Create(CultureInfo.InvariantCulture, $"raw-sqlite-batch{batch}"),
                "jobs",
                null,
                (lab, _) => Task.Run(() => Measure(lab.Options, batch)));
        }
    }

    private static Sample Measure(BenchmarkOptions options, int batch)
    {
        using var file = new SqliteFile();
        using var connection = new SqliteConnection(file.ConnectionString);
        connection.Open();
        var jobs = options.Size(full: 400_000, small: 20_000);
        Execute(connection, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
        Execute(connection, "CREATE TABLE job (id INTEGER PRIMARY KEY, state INTEGER NOT NULL, lease TEXT, run_at INTEGER)");
        Execute(connection, string.Create(
            CultureInfo.InvariantCulture,
            $"WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < {jobs}) INSERT INTO job SELECT id, 0, NULL, 0 FROM n"));
        Execute(connection, "CREATE INDEX ix_job_claim ON job (id) WHERE state = 0");

        using var claim = connection.CreateCommand();
        claim.CommandText =
            "UPDATE job SET state = 1, lease = $lease, run_at = $at WHERE id = (SELECT id FROM job WHERE state = 0 ORDER BY id LIMIT 1) RETURNING id";
        var lease = claim.Parameters.Add("$lease", SqliteType.Text);
        claim.Parameters.AddWithValue("$at", 30_000L);
        using var complete = connection.CreateCommand();
        complete.CommandText = "UPDATE job SET state = 2, lease = NULL WHERE id = $id AND lease = $lease";
        var id = complete.Parameters.Add("$id", SqliteType.Integer);
        var held = complete.Parameters.Add("$lease", SqliteType.Text);

        var latencies = new Latencies();
        var claimed = new (long Id, string Lease)[batch];
        var start = Stopwatch.GetTimestamp();
        long done = 0;
        while (Stopwatch.GetElapsedTime(start) < options.Length && done + batch <= jobs)
        {
            var began = Stopwatch.GetTimestamp();
            InTransaction(connection, claim, () =>
            {
                for (var i = 0; i < batch; i++)
                {
                    var name = Guid.NewGuid().ToString("N");
                    lease.Value = name;
                    claimed[i] = ((long)claim.ExecuteScalar()!, name);
                }
            });
            latencies.Note(began);
            began = Stopwatch.GetTimestamp();
            InTransaction(connection, complete, () =>
            {
                foreach (var job in claimed)
                {
                    id.Value = job.Id;
                    held.Value = job.Lease;
                    done += complete.ExecuteNonQuery();
                }
            });
            latencies.Note(began);
        }

        return new Sample(done, Stopwatch.GetElapsedTime(start), [latencies]);
    }

    private static void InTransaction(SqliteConnection connection, SqliteCommand command, Action work)
    {
        using var transaction = connection.BeginTransaction();
        command.Transaction = transaction;
        work();
        transaction.Commit();
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
