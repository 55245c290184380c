using System.Diagnostics;
using System.Globalization;
using Broker.Benchmarks.Harness;
using Npgsql;

namespace Broker.Benchmarks.Yardsticks;

/// <summary>Yardstick: PostgreSQL without a broker, claim and complete in two commits each.</summary>
internal static class RawSql
{
    private const string Claim = """
        UPDATE job SET state = 1, lease = gen_random_uuid(), run_at = now() + interval '30 s'
        WHERE id IN (SELECT id FROM job WHERE state = 0 ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING id, lease
        """;

    private const string Complete = """
        UPDATE job SET state = 2, lease = NULL FROM unnest($1::bigint[], $2::uuid[]) AS done(id, lease)
        WHERE job.id = done.id AND job.lease = done.lease
        """;

    private const string CompleteOne = "UPDATE job SET state = 2, lease = NULL WHERE id = $1 AND lease = $2";

    public static IEnumerable<Scenario> All()
    {
        foreach (var connections in (int[])[1, 8, 32])
        {
            yield return Pair(string.Create(CultureInfo.InvariantCulture, $"raw-sql-{connections}"), connections, batch: 1);
        }

        yield return Pair("raw-sql-batch200-4", connections: 4, batch: 200);
    }

    private static Scenario Pair(string name, int connections, int batch) => new(name, "jobs", null, async (lab, ct) =>
    {
        var database = await lab.Postgres.CreateEmptyDatabaseAsync();
        try
        {
            await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(database) { MaxPoolSize = connections });
            await PrepareAsync(source, lab.Options.Size(full: batch == 1 ? 100_000 : 400_000, small: 20_000), ct);
            await ConnectAsync(source, connections, ct);
            var length = lab.Options.Length;
            var start = Stopwatch.GetTimestamp();
            return await Load.RunAsync(connections, async (_, latencies, ct) =>
            {
                await using var connection = await source.OpenConnectionAsync(ct);
                await using var claim = new NpgsqlCommand(Claim, connection) { Parameters = { new() { Value = batch } } };
                await using var complete = new NpgsqlCommand(batch == 1 ? CompleteOne : Complete, connection) { Parameters = { new(), new() } };
                long done = 0;
                while (Stopwatch.GetElapsedTime(start) < length)
                {
                    var began = Stopwatch.GetTimestamp();
                    var (ids, leases) = await ClaimAsync(claim, ct);
                    latencies.Note(began);
                    if (ids.Count == 0) break;

                    complete.Parameters[0].Value = batch == 1 ? ids[0] : ids;
                    complete.Parameters[1].Value = batch == 1 ? leases[0] : leases;
                    began = Stopwatch.GetTimestamp();
                    await complete.PrepareAsync(ct);
                    done += await complete.ExecuteNonQueryAsync(ct);
                    latencies.Note(began);
                }

                return done;
            }, ct);
        }
        finally
        {
            await lab.Postgres.DropAsync(database);
        }
    });

    private static async Task<(List<long> Ids, List<Guid> Leases)> ClaimAsync(NpgsqlCommand claim, CancellationToken ct)
    {
        (List<long> ids, List<Guid> leases) = ([], []);
        await claim.PrepareAsync(ct);
        await using var reader = await claim.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            ids.Add(reader.GetInt64(0));
            leases.Add(reader.GetGuid(1));
        }

        return (ids, leases);
    }

    /// <summary>Fills the pool, so that nothing connects while time is taken.</summary>
    private static async Task ConnectAsync(NpgsqlDataSource source, int connections, CancellationToken ct)
    {
        List<NpgsqlConnection> open = [];
        while (open.Count < connections) open.Add(await source.OpenConnectionAsync(ct));

        foreach (var connection in open) await connection.DisposeAsync();
    }

    private static async Task PrepareAsync(NpgsqlDataSource source, int jobs, CancellationToken ct)
    {
        string[] statements =
        [
            "CREATE TABLE job (id bigint PRIMARY KEY, state smallint NOT NULL, lease uuid, run_at timestamptz) WITH (fillfactor = 70)",
            string.Create(CultureInfo.InvariantCulture, $"INSERT INTO job SELECT id, 0 FROM generate_series(1, {jobs}) AS id"),
            "CREATE INDEX ix_job_claim ON job (id) WHERE state = 0",
            "VACUUM ANALYZE job",
        ];
        foreach (var sql in statements)
        {
            await using var command = source.CreateCommand(sql);
            await command.ExecuteNonQueryAsync(ct);
        }
    }
}
