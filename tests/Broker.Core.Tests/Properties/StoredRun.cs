using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Graphs;
using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Core.Tests.Properties;

/// <summary>Stored part of one run between transactions: rows, the joins as text, the inbox.</summary>
internal sealed class StoredRun
{
    private readonly SortedDictionary<int, StepState> rows = [];
    private readonly SortedDictionary<long, InboxEvent> inbox = [];
    private readonly Func<StepState, StepState> writing;
    private RunState run;
    private string? joins;

    /// <param name="fresh">The new run.</param>
    /// <param name="events">Events that a retry takes over.</param>
    /// <param name="kept">Steps that a retry keeps.</param>
    /// <param name="writing">Changes rows of maps on their way into the store: a planted fault.</param>
    /// <param name="items">Items that a retry keeps.</param>
    public StoredRun(
        RunState fresh, IEnumerable<InboxEvent>? events = null, IEnumerable<StepState>? kept = null, Func<StepState, StepState>? writing = null, IEnumerable<StepState>? items = null)
    {
        (run, joins, this.writing) = (fresh, fresh.Joins.Write(), writing ?? (step => step));
        foreach (var item in items ?? []) rows[item.Index] = item;
        foreach (var message in events ?? []) inbox[message.Id] = message;
        foreach (var step in (kept ?? []).Where(LetsGoOn)) Finishes.Add(FinishOf(step));
    }

    public RunState Run => run with { Joins = JoinSet.Read(joins) };
    public WorkflowDefinition Definition => run.Definition;
    public IReadOnlyDictionary<int, StepState> Rows => rows;
    public IEnumerable<InboxEvent> Inbox => inbox.Values;
    public IEnumerable<InboxEvent> Undelivered => inbox.Values.Where(m => m.DeliveredAt is null);

    /// <summary>Inputs of every run: lists for maps.</summary>
    public const string Inputs = """{"xs":[1,"b",{"c":3},null],"none":[],"many":[1,2,3,4,5,6,7],"word":"no list"}""";

    /// <summary>Reached steps of the definition, without items.</summary>
    public IEnumerable<StepState> OfDefinition => rows.Values.Where(s => s.Index < StepDefinition.FirstDynamic);

    /// <summary>Steps that have finished, in order.</summary>
    public List<Finish> Finishes { get; } = [];

    /// <summary>Final value of a run that succeeded.</summary>
    public string? ResultJson { get; private set; }

    /// <summary>The value of the run that has ended, also where its stop event cannot carry it.</summary>
    public string? FinalJson { get; private set; }

    /// <summary>Everything that is stored, as one text: two equal ones mean that nothing was changed.</summary>
    public string Image =>
        $"{run with { Joins = JoinSet.Empty }} {joins}\n{string.Join('\n', rows.Values)}\n{string.Join('\n', inbox.Values)}";

    /// <summary>Writes outside a session, as the store's own statements do: claims and heartbeats.</summary>
    public void Put(StepState step) => rows[step.Index] = step;

    /// <summary>A session with these rows loaded, and the undelivered events.</summary>
    public RunSession Open(IEnumerable<StepState> loaded) =>
        new(Run, Definition.HasConditions || Definition.HasFailFast ? OfDefinition.Concat(loaded) : loaded, Undelivered);

    public IEnumerable<StepState> Active => rows.Values.Where(s => s.IsActive);

    /// <summary>A step; of an item its map too, which counts its end.</summary>
    public IEnumerable<StepState> Named(int index) => !rows.TryGetValue(index, out var row) ? []
        : index < StepDefinition.FirstDynamic ? [row] : [row, rows[Definition.MapOf(index).Index]];

    /// <summary>The named step, and while pausing all active steps, as the session requires.</summary>
    public IEnumerable<StepState> NamedAndMore(int index) =>
        run.Phase is RunPhase.Pausing || run.Definition.HasFailFast ? Active.Concat(Named(index)).DistinctBy(s => s.Index) : Named(index);

    /// <summary>Writes the changes of a session. The checks are those of the tables: keys and legal changes of status.</summary>
    public void Save(RunSession session, InboxEvent? sent = null)
    {
        if (session.HasMovedMaps) session.ServeMaps(new MapReads(this), session.Run.UpdatedAt);
        if (session.EndedNow)
        {
            var results = rows.Values.Concat(session.Inserted).Concat(session.Updated)
                .Where(s => Definition.ResultSteps.Contains(s.Index))
                .GroupBy(s => s.Index, (_, states) => states.Last())
                .Where(s => s.IsFinished);
            FinalJson = FinalValue.Of(Definition, results.ToDictionary(s => s.Index, s => s.Result));
            session.Conclude(FinalJson);
            ResultJson = session.ResultJson;
        }

        Violation.If(run.IsTerminal && session.Run.Phase != run.Phase, "invariant 3: a run that has ended changed its phase");
        if (sent is not null) inbox[sent.Id] = sent;
        var written = session.Inserted.Concat(session.Updated).ToDictionary(s => s.Index);
        foreach (var index in FinishOrder(session, written))
        {
            Finishes.Add(FinishOf(written[index]));
        }

        foreach (var step in session.Inserted)
        {
            Violation.If(rows.ContainsKey(step.Index), $"invariant 2: step {step.Index} became ready twice");
            rows.Add(step.Index, Stored(step));
        }

        foreach (var step in session.Updated)
        {
            Violation.If(!rows.TryGetValue(step.Index, out var before), $"step {step.Index} was updated without a row");
            Violation.If(before!.IsTerminal && before.Status != step.Status, $"invariant 3: step {step.Index} left {before.Status} for {step.Status}");
            rows[step.Index] = Stored(step);
        }

        foreach (var message in session.Consumed)
        {
            Violation.If(inbox[message.Id].DeliveredAt is not null, $"invariant 9: event {message.Id} was consumed twice");
            inbox[message.Id] = message;
        }

        run = session.Run;
        joins = session.Run.Joins.Write();
    }

    // Each end of a step is announced on the stream when it happens; that is the only trace of the order within one transaction.
    private List<int> FinishOrder(RunSession session, Dictionary<int, StepState> written) =>
        session.Published
            .Where(p => p.Type == StepEvents.StateChangedType)
            .Select(p => Definition.Find(JsonElement.Parse(p.ValueJson).GetProperty("name").GetString()!)!.Index)
            .Where(i => written.TryGetValue(i, out var now) && LetsGoOn(now) && !(rows.TryGetValue(i, out var before) && LetsGoOn(before)))
            .Distinct()
            .ToList();

    // As its row is read again: the progress of a map as text, and no value of an item.
    private StepState Stored(StepState step)
    {
        var written = step.Items is null ? step : writing(step);
        return written with { Items = MapProgress.Read(written.Items?.Write()) };
    }

    private static Finish FinishOf(StepState step) =>
        new(step.Index, step.Status is StepStatus.Succeeded ? Text(step.Result) : null, step.Status is not StepStatus.Skipped);

    private bool LetsGoOn(StepState step) => step.IsTerminal && !Definition.RulesOf(step.Index).Blocks(step);

    private static string? Text(string? resultJson) => resultJson?.StartsWith('"') is true ? resultJson.Trim('"') : null;
}

/// <summary>Reads of a stored run for its maps.</summary>
internal sealed class MapReads(StoredRun run) : IMapReads
{
    public RunRef Run => new(run.Run.Id, run.Definition.Name, "i", 0);

    public ItemList ItemsOf(MapDefinition map, StepState? known) =>
        ItemList.Read(map.Items, map.Items.Step is { } above ? (known ?? run.Rows.GetValueOrDefault(above))?.Result : StoredRun.Inputs);

    public IReadOnlyList<int> MissingItems(MapDefinition map, int from, int to, int most) =>
        [.. Enumerable.Range(from, Math.Max(0, to - from)).Where(number => run.Rows.GetValueOrDefault(map.First + number) is not { IsFinished: true }).Take(most)];

    public IEnumerable<StepState> OpenItems() => run.Active;

    public IReadOnlyDictionary<int, string?> ItemResults(MapDefinition map) =>
        run.Rows.Values.Where(item => map.Has(item.Index) && item.IsFinished).ToDictionary(item => item.Index, item => item.Result);
}

/// <summary>A rule was broken.</summary>
internal sealed class Violation(string message) : Exception(message)
{
    public static void If(bool broken, string message)
    {
        if (broken) throw new Violation(message);
    }
}
