using System.Text.Json;
using Broker.Core.Runs;

namespace Broker.Storage.Tables;

/// <summary>Rows of log lines: those of a report, and what all writers of lines have in common.</summary>
internal static class LogLines
{
    /// <summary>Lines that came with a report, in order.</summary>
    public static IEnumerable<LogLineRow> Of(RunRef run, string step, int? attempt, IReadOnlyList<LogLine> lines, DateTimeOffset now) =>
        lines.Select((line, i) => new LogLineRow
        {
            RunId = run.Id,
            Workflow = StorableText.Fitting(run.Workflow),
            Step = StorableText.Fitting(step),
            Attempt = attempt,
            Level = StorableText.Fitting(line.Level),
            Category = StorableText.Fitting(line.Category),
            Message = JsonSerializer.Serialize(line.Message),
            Data = line.DataJson,
            Sequence = i,
            Stream = "stdout",
            TimestampMs = now.ToUnixTimeMilliseconds(),
            CreatedAt = now.ToMicros(),
        });

    /// <summary>
    /// Keys that PostgreSQL locks before it numbers these lines. Ids are taken and become visible in the same order, job by job. Otherwise a reader that goes
    /// on from the last id would pass over a line whose transaction took its id earlier and commits later. Sorted: no deadlocks.
    /// </summary>
    public static string[] LockKeys(IReadOnlyList<LogLineRow> lines) =>
        [.. lines.Select(l => $"{l.Workflow}/{l.Step}").Distinct().Order(StringComparer.Ordinal)];
}
