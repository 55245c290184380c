using System.Globalization;
using System.Text;
using Broker.Core.Runs;

namespace Broker.Storage.Tables;

/// <summary>
/// Limit of what the log of a job holds in one run. The first line that does not fit is replaced by one that says so; nothing is stored after it.
/// The size is a row of its own, added to under its lock: exact with several brokers, and no append reads the log.
/// </summary>
/// <param name="Bytes">Zero: no limit.</param>
internal sealed record LogLimit(long Bytes)
{
    /// <summary>Bytes that a line counts at least: its row takes that much, whatever it holds.</summary>
    private const int Least = 64;

    /// <summary>Bytes that these lines add to each log, in one order for all writers. So two that add to the same logs cannot wait for each other.</summary>
    public IReadOnlyList<LogSize> Sizes(IReadOnlyList<LogLineRow> lines) => Bytes == 0
        ? []
        :
        [
            .. lines.GroupBy(JobOf).Select(job => new LogSize(job.Key.RunId, job.Key.Workflow, job.Key.Step, job.Sum(l => SizeOf(l.Message, l.Data))))
                .OrderBy(size => size.RunId).ThenBy(size => size.Workflow, StringComparer.Ordinal).ThenBy(size => size.Step, StringComparer.Ordinal),
        ];

    /// <summary>Leaves of these lines what fits.</summary>
    /// <param name="lines">In order.</param>
    /// <param name="sizes">Bytes that they add.</param>
    /// <param name="charged">The sizes after that; null where a log was cut before.</param>
    /// <returns>Logs that end here, and what they hold then.</returns>
    public IReadOnlyList<LogSize> Fit(List<LogLineRow> lines, IReadOnlyList<LogSize> sizes, IReadOnlyList<long?> charged)
    {
        if (charged.All(after => after <= Bytes)) return [];
        var held = new Dictionary<(long, string, string), long>();
        foreach (var (i, (run, workflow, step, added)) in sizes.Index())
        {
            if (charged[i] is { } after) held[(run, workflow, step)] = after - added;
        }

        List<LogSize> cut = [];
        var given = lines.ToList();
        lines.Clear();
        foreach (var line in given)
        {
            var job = JobOf(line);
            if (!held.TryGetValue(job, out var before)) continue;
            var after = before + SizeOf(line.Message, line.Data);
            if (after <= Bytes)
            {
                held[job] = after;
                lines.Add(line);
                continue;
            }

            var end = EndAt(line);
            lines.Add(end);
            cut.Add(new(job.RunId, job.Workflow, job.Step, before + SizeOf(end.Message, end.Data)));
            held.Remove(job);
        }

        return cut;
    }

    /// <summary>Bytes that a line counts whose texts have so many bytes.</summary>
    public static long SizeOf(long bytes) => Math.Max(Least, bytes);

    private static long SizeOf(string message, string? data) => SizeOf(Encoding.UTF8.GetByteCount(message) + (data is null ? 0 : Encoding.UTF8.GetByteCount(data)));

    private static (long RunId, string Workflow, string Step) JobOf(LogLineRow line) => (line.RunId ?? LogSizeRow.NoRun, line.Workflow, line.Step);

    private LogLineRow EndAt(LogLineRow line) => new()
    {
        RunId = line.RunId,
        Workflow = line.Workflow,
        Step = line.Step,
        Attempt = line.Attempt,
        Level = "warn",
        Category = LogLine.DefaultCategory,
        Message = string.Create(
            CultureInfo.InvariantCulture, $"\"[the log of this job was cut here: it has reached {Bytes} bytes (Broker:Limits:LogBytes); further lines are not stored]\""),
        Sequence = line.Sequence,
        Stream = "stderr",
        TimestampMs = line.TimestampMs,
        CreatedAt = line.CreatedAt,
    };
}
