using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Model;

namespace Broker.Storage.Lanes;

/// <summary>A run's row as a transaction loads it: its state, and the names that answers carry.</summary>
internal sealed record LoadedRun(RunState State, RunRef Ref, int DefinitionId, bool IsCurrent);

/// <summary>A step of a run.</summary>
internal readonly record struct StepKey(long RunId, int Index) : IComparable<StepKey>
{
    /// <summary>The order in which all transactions lock steps.</summary>
    public int CompareTo(StepKey other) => RunId != other.RunId ? RunId.CompareTo(other.RunId) : Index.CompareTo(other.Index);
}

/// <summary>A lease as a request names it: by its fence, by its worker, or by both.</summary>
internal readonly record struct HeldLease(StepKey Step, long? Fence, string? Worker)
{
    /// <summary>A fence that no step has.</summary>
    private const long NoFence = -1;

    /// <summary>A lease of another step is none of this one, whatever its fence: claims with the same id reuse fences.</summary>
    public static HeldLease Of(StepKey step, LeaseId? lease, string? worker) =>
        new(step, lease is { } named ? named.RunId == step.RunId && named.Step == step.Index ? named.Fence : NoFence : null, worker);

    /// <summary>Whether a step with this fence and worker is held under it.</summary>
    public bool Is(long? fence, string? worker) => (Fence ?? fence) == fence && (Worker ?? worker) == worker;

    /// <summary>The fence to report under: the step's own where the request names only the worker that holds it.</summary>
    public long FenceAt(StepState? step) => step?.Fence is { } fence && Is(fence, step.Worker) ? fence : NoFence;
}

/// <summary>An event to append to a run's stream.</summary>
internal readonly record struct Appended(long RunId, PublishedEvent Event);

/// <summary>All rows that one transaction writes, gathered first, so that each table takes one statement whatever the number of callers.</summary>
internal sealed class ChangeSet
{
    public List<RunRow> NewRuns { get; } = [];
    public List<RunChange> Runs { get; } = [];
    public List<StepRow> NewSteps { get; } = [];
    public List<StepRow> Steps { get; } = [];
    public List<InboxRow> NewMail { get; } = [];
    public List<InboxRow> Mail { get; } = [];
    public List<Appended> Events { get; } = [];

    /// <summary>Runs that are no longer the current one of their instance.</summary>
    public List<long> Superseded { get; } = [];

    /// <summary>Starts to remember under their keys.</summary>
    public List<StartKeyRow> StartKeys { get; } = [];

    /// <summary>Runs to delete with all that belongs to them.</summary>
    public List<long> Purged { get; } = [];

    /// <summary>Leases to renew.</summary>
    public List<HeldLease> Heartbeats { get; } = [];

    /// <summary>Log lines of reports: the commit writes them.</summary>
    public List<LogLineRow> Lines { get; } = [];

    public bool IsEmpty =>
        NewRuns.Count + Runs.Count + NewSteps.Count + Steps.Count + NewMail.Count + Mail.Count + Events.Count
        + StartKeys.Count + Superseded.Count + Purged.Count + Heartbeats.Count == 0;
}

/// <summary>The columns of a run that change after its start. Null payloads stay as they are.</summary>
internal sealed record RunChange(LoadedRun Run, string? Context, string? Result)
{
    public RunState State => Run.State;
}

/// <summary>A step that is leased, with what its worker must know of the run.</summary>
internal sealed record ClaimedRow(
    string Worker, long Fence, long RunId, int Index, int Attempt, long QueuedAt, long Due, long GrantedAt, long ExpiresAt, int LeaseSecs,
    string Workflow, string InstanceId, int Number, int DefinitionId, string Inputs, string? Context, bool Streams, string? TraceParent)
{
    /// <summary>The claim that it goes to.</summary>
    public ClaimWork? Claim { get; init; }

    /// <param name="definition">The run's definition.</param>
    /// <param name="finished">Results of predecessors that have finished, by index.</param>
    public Assignment ToAssignment(WorkflowDefinition definition, IReadOnlyDictionary<int, string?> finished) => new()
    {
        Lease = LeaseId.Create(RunId, Index, Fence),
        Run = new RunRef(RunId, Workflow, InstanceId, Number),
        Definition = definition,
        Step = definition.Steps[Index],
        WorkerId = Worker,
        Attempt = Attempt,
        QueuedAt = Instants.FromMicros(QueuedAt),
        Due = Instants.FromMicros(Due),
        GrantedAt = Instants.FromMicros(GrantedAt),
        ExpiresAt = Instants.FromMicros(ExpiresAt),
        LeaseSecs = LeaseSecs,
        InputsJson = Inputs,
        ContextJson = Context,
        TraceParent = TraceParent,
        Upstream = Upstream.For(definition, definition.Steps[Index], finished),
    };
}

/// <summary>What a transaction found at its begin.</summary>
internal sealed record Loaded(IReadOnlyList<LoadedRun> Runs, ILookup<long, StepState> Steps, DateTimeOffset Now);

/// <summary>Instants as the tables keep them.</summary>
internal static class Instants
{
    private static readonly long Epoch = DateTimeOffset.UnixEpoch.UtcTicks;

    public static long ToMicros(this DateTimeOffset at) => (at.UtcTicks - Epoch) / TimeSpan.TicksPerMicrosecond;

    public static long? ToMicros(this DateTimeOffset? at) => at?.ToMicros();

    public static DateTimeOffset FromMicros(long micros) => new(Epoch + (micros * TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);

    public static DateTimeOffset? FromMicros(long? micros) => micros is { } value ? FromMicros(value) : null;
}

/// <summary>Failures as the tables keep them: JSON, so that any text fits, NUL too.</summary>
internal static class Errors
{
    public static string? Write(StepError? error) => error is null ? null : System.Text.Json.JsonSerializer.Serialize(error);

    public static StepError? Read(string? stored) => stored is null ? null : System.Text.Json.JsonSerializer.Deserialize<StepError>(stored);
}
