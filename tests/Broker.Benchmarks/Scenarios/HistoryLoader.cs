using System.Data.Common;
using System.Diagnostics;
using System.Globalization;
using Broker.Benchmarks.Harness;
using Broker.Benchmarks.Http;

namespace Broker.Benchmarks.Scenarios;

/// <summary>
/// Fills a database with runs of five steps by multiplying the rows of one run that a broker has finished.
/// Of the ready steps 20 % are first ones, 60 % parallel ones and 20 % last ones, in turn. Claims therefore cause the same mixture of
/// follow-ups as in a flow of whole runs.
/// </summary>
internal static class HistoryLoader
{
    // Names of instances end in their number.
    private const string Label = "history", Template = Label + "-0", Ended = "ended";

    private static readonly string[] ReadyStages = ["first", "middle", "last"];

    /// <summary>Loads while the brokers are away, and answers the definition whose ready steps wait.</summary>
    public static async Task<JobDefinition> LoadAsync(Site site, Database database, int steps, int ready, CancellationToken ct)
    {
        var workflow = await KeepTemplatesAsync(site, ct);
        await site.WithoutBrokersAsync(async connection =>
        {
            if (database == Database.Sqlite)
            {
                // Of the loading only: the next who opens the file, the broker, has WAL and synchronous=FULL again.
                await ExecuteAsync(connection, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -400000", ct);
            }

            var began = Stopwatch.GetTimestamp();
            var copier = new Copier(connection, database, ct);
            await copier.CopyAsync(Ended, steps / Supply.StepsInARun);
            foreach (var stage in ReadyStages) await copier.CopyAsync(stage, Math.Max(1, ready / Supply.StepsInARun));

            foreach (var stage in (string[])[Ended, .. ReadyStages])
            {
                await ExecuteAsync(connection, $"DROP TABLE kept_run_{stage}; DROP TABLE kept_step_{stage}", ct);
            }

            await ExecuteAsync(connection, "UPDATE counter SET next = (SELECT max(id) + 1 FROM run) WHERE name = 'run'", ct);
            foreach (var sql in Upkeep(database)) await ExecuteAsync(connection, sql, ct);

            await Console.Error.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"loaded {steps:N0} finished and {ready:N0} ready steps into {database} in {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s"));
        }, ct);
        return new JobDefinition(workflow, Label);
    }

    // Autovacuum's work after such a growth, and the checkpoint that is due then. SQLite has no such work.
    private static IEnumerable<string> Upkeep(Database database) => database switch
    {
        Database.Postgres => ["VACUUM ANALYZE run", "VACUUM ANALYZE step", "CHECKPOINT"],
        Database.Sqlite => ["PRAGMA journal_mode = WAL"],
    };

    /// <summary>Leads one run through its life and keeps its rows at every stage.</summary>
    private static async Task<string> KeepTemplatesAsync(Site site, CancellationToken ct)
    {
        using var worker = await RawConnection.ConnectAsync(site.Address, ct);
        await using var connection = await site.OpenDatabaseAsync(ct);
        var workflow = await worker.DefineJobsAsync(Bodies.FiveStepJobs(Label, Label), ct);
        await worker.StartInstancesAsync(workflow, 1, Label, ct);
        foreach (var stage in (string[])[.. ReadyStages, Ended])
        {
            await ExecuteAsync(connection, $"""
                CREATE TABLE kept_run_{stage} AS SELECT * FROM run WHERE instance_id = '{Template}';
                CREATE TABLE kept_step_{stage} AS SELECT * FROM step WHERE run_id = (SELECT id FROM run WHERE instance_id = '{Template}')
                """, ct);
            var leases = await worker.ClaimManyAsync(Bodies.Claim(Label, Label, count: Supply.StepsInARun), ct);
            if (leases.Count > 0) await worker.CompleteManyAsync(Bodies.Complete(leases), ct);
        }

        return workflow;
    }

    private static async Task<object?> ExecuteAsync(DbConnection connection, string sql, CancellationToken ct)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.CommandTimeout = 0;
        return await command.ExecuteScalarAsync(ct);
    }

    private sealed class Copier(DbConnection connection, Database database, CancellationToken ct)
    {
        private long firstId = 1_000_000;

        /// <summary>So many copies of the kept run, one transaction a table.</summary>
        public async Task CopyAsync(string stage, int runs)
        {
            var id = firstId;
            firstId += runs;
            // Ready steps of all stages are due at the same instants, so that they are handed out in turns; none in the future.
            var due = (long)(await ExecuteAsync(connection, "SELECT min(due) FROM kept_step_first", ct))! - runs;
            string[] places = stage == Ended ? [] : ["rank", "due"];
            await InsertAsync("run", stage, runs, new()
            {
                ["id"] = Plus(id),
                ["instance_id"] = $"'{stage}-' || k.n",
                ["created_at"] = $"t.created_at - {runs} + k.n",
            });
            await InsertAsync("step", stage, runs, new(places.Select(place => KeyValuePair.Create(place, Plus(due)))) { ["run_id"] = Plus(id) });
        }

        private static string Plus(long number) => string.Create(CultureInfo.InvariantCulture, $"{number} + k.n");

        private async Task InsertAsync(string table, string stage, int count, Dictionary<string, string> changed)
        {
            var kept = $"kept_{table}_{stage}";
            var columns = await ColumnsAsync(kept);
            var values = string.Join(", ", columns.Select(column => changed.GetValueOrDefault(column) ?? $"t.\"{column}\""));
            var names = string.Join(", ", columns.Select(column => $"\"{column}\""));
            await ExecuteAsync(connection, $"INSERT INTO {table} ({names}) SELECT {values} FROM {Numbers(count)} AS k CROSS JOIN {kept} AS t", ct);
        }

        private async Task<IReadOnlyList<string>> ColumnsAsync(string table)
        {
            await using var command = connection.CreateCommand();
            command.CommandText = $"SELECT * FROM {table} LIMIT 0";
            await using var reader = await command.ExecuteReaderAsync(ct);
            return [.. Enumerable.Range(0, reader.FieldCount).Select(reader.GetName)];
        }

        private string Numbers(int count) => database switch
        {
            Database.Postgres => string.Create(CultureInfo.InvariantCulture, $"(SELECT generate_series(1, {count}) AS n)"),
            Database.Sqlite => string.Create(
                CultureInfo.InvariantCulture,
                $"(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {count}) SELECT n FROM c)"),
        };
    }
}
