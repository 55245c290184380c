using System.Globalization;
using Broker.Storage.Contracts;
using Broker.Storage.Signals;
using Npgsql;

namespace Broker.Storage.Postgres;

/// <summary>Versions of topics: two walks along indexes, whatever the number of waiters.</summary>
internal sealed class PostgresTopics(PostgresEngine engine) : ITopicVersions
{
    private const string Runs = """
        SELECT k.id, r.phase, s.next FROM unnest($1::bigint[]) AS k(id) JOIN run r ON r.id = k.id LEFT JOIN stream s ON s.run_id = k.id
        """;

    private const string Logs = """
        SELECT k.workflow, k.step, (SELECT max(l.id) FROM log l WHERE l.workflow = k.workflow AND l.step = k.step)
        FROM unnest($1::text[], $2::text[]) AS k(workflow, step)
        """;

    public async Task<Dictionary<string, string>> VersionsAsync(IReadOnlyList<string> topics, CancellationToken ct)
    {
        var runs = new List<long>();
        var logs = new List<(string Workflow, string Step)>();
        foreach (var topic in topics)
        {
            if (Topics.TryRun(topic, out var run)) runs.Add(run);
            else if (Topics.TryLog(topic, out var workflow, out var step)) logs.Add((workflow, step));
        }

        var versions = new Dictionary<string, string>(topics.Count, StringComparer.Ordinal);
        if (runs.Count > 0)
        {
            await using var command = engine.CreateCommand(Runs);
            command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. runs] });
            await using var reader = await command.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct)) versions[Topics.Run(reader.GetInt64(0))] = Text($"{reader.GetInt16(1)}/{reader.GetValue(2)}");
        }

        if (logs.Count == 0) return versions;
        await using var lines = engine.CreateCommand(Logs);
        lines.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. logs.Select(l => l.Workflow)] });
        lines.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. logs.Select(l => l.Step)] });
        await using var last = await lines.ExecuteReaderAsync(ct);
        while (await last.ReadAsync(ct)) versions[Topics.Log(last.GetString(0), last.GetString(1))] = Text($"{last.GetValue(2)}");
        return versions;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
