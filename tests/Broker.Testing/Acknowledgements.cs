using System.Collections.Concurrent;
using System.Diagnostics;

namespace Broker.Testing;

/// <summary>A step of an instance, by the names that clients know.</summary>
public readonly record struct InstanceStep(string Instance, string Step);

/// <summary>Answers that clients got while the database failed over or was restored, to be compared with its rows afterwards.</summary>
public sealed class Acknowledgements
{
    private readonly ConcurrentQueue<Acknowledgement<string>> starts = [];
    private readonly ConcurrentQueue<Acknowledgement<InstanceStep>> reports = [];
    private readonly ConcurrentQueue<Acknowledgement<InstanceStep>> inputs = [];

    public int ReportCount => reports.Count;

    /// <summary>A start was answered with success.</summary>
    public void Started(string instance) => starts.Enqueue(new(instance, "", Stopwatch.GetTimestamp()));

    /// <summary>A report was answered with success.</summary>
    public void Reported(InstanceStep step, string result) => reports.Enqueue(new(step, result, Stopwatch.GetTimestamp()));

    /// <summary>A claim that was sent at <paramref name="asked"/> was given that result of an earlier step.</summary>
    public void Given(InstanceStep of, string result, long asked) => inputs.Enqueue(new(of, result, asked));

    /// <summary>How many starts and reports were acknowledged after that moment.</summary>
    public int CountAfter(long moment) => starts.Count(s => s.At > moment) + reports.Count(r => r.At > moment);

    /// <summary>When the first report after that moment was accepted; null: none was.</summary>
    public long? FirstReportAfter(long moment) => reports.Select(r => r.At).Where(at => at > moment).Cast<long?>().Min();

    /// <summary>Instances whose start was acknowledged in that time and that are not stored.</summary>
    public IReadOnlyList<string> LostStarts(Stored stored, long from, long until) =>
        [.. starts.Where(s => s.At >= from && s.At < until && !stored.Instances.Contains(s.Of)).Select(s => s.Of)];

    /// <summary>Reports that were acknowledged in that time and are not their step's stored result.</summary>
    public IReadOnlyList<string> LostReports(Stored stored, long from, long until) =>
        [.. reports.Where(r => r.At >= from && r.At < until && !stored.Has(r.Of, r.Result)).Select(r => $"{r.Of.Instance}/{r.Of.Step}")];

    /// <summary>Results that claims sent in that time were given and that are not stored.</summary>
    public IReadOnlyList<string> StaleInputs(Stored stored, long from, long until) =>
        [.. inputs.Where(i => i.At >= from && i.At < until && !stored.Has(i.Of, i.Result)).Select(i => $"{i.Of.Instance}/{i.Of.Step}")];

    private readonly record struct Acknowledgement<T>(T Of, string Result, long At);
}

/// <summary>Instances and results in a database.</summary>
public sealed record Stored(IReadOnlySet<string> Instances, IReadOnlyDictionary<InstanceStep, string> Results)
{
    /// <summary>Each result is a token of its own, whatever is stored around it.</summary>
    public bool Has(InstanceStep step, string token) => Results.TryGetValue(step, out var stored) && stored.Contains(token, StringComparison.Ordinal);
}
