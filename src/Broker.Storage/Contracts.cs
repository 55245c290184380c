using System.Globalization;
using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Storage;

/// <summary>All or nothing: <paramref name="Registered"/> in order, or the first definition that conflicts with a known one.</summary>
public sealed record RegisterOutcome(IReadOnlyList<WorkflowDefinition> Registered, WorkflowDefinition? Conflict)
{
    /// <summary>Those that were not known before.</summary>
    public IReadOnlyList<WorkflowDefinition> Added { get; init; } = [];
}

/// <summary>Definitions: immutable, so they are cached for good once read.</summary>
public interface IDefinitionStore
{
    /// <summary>Stores what is new; the same content again is accepted, other content under the same name and version is a conflict.</summary>
    /// <param name="definitions">Definitions to register.</param>
    /// <param name="makeLatest">Also a known one becomes the latest of its name (files: what was loaded last is what runs).</param>
    /// <param name="ct">Gives up.</param>
    Task<RegisterOutcome> RegisterAsync(IReadOnlyList<WorkflowDefinition> definitions, bool makeLatest, CancellationToken ct);

    /// <summary>The definition that was registered last under that name, or null.</summary>
    Task<WorkflowDefinition?> LatestAsync(string name, CancellationToken ct);

    /// <summary>The latest definition of each name, in order of first registration.</summary>
    Task<IReadOnlyList<WorkflowDefinition>> ListAsync(CancellationToken ct);
}

/// <summary>A report under a lease, or (broker dialect) under the name of the worker that should hold the step.</summary>
public sealed record LeaseReport(LeaseId Lease, StepReport Report);

/// <summary>A broker-dialect report: counts only while the step is leased to that worker.</summary>
public sealed record NamedReport(string WorkerId, string Workflow, string WorkerInstanceId, string Step, StepReport Report);

/// <summary>A step that a broker-dialect worker says it holds.</summary>
public readonly record struct NamedStep(string Workflow, string WorkerInstanceId, string Step);

/// <summary>The hot path: claim, heartbeat, report.</summary>
public interface IStepStore
{
    /// <summary>Hands out what is ready, possibly nothing; never waits.</summary>
    Task<IReadOnlyList<Assignment>> ClaimAsync(ClaimRequest claim, CancellationToken ct);

    /// <summary>The same for a claim that was waiting: what its turn was offered, else what is ready.</summary>
    Task<IReadOnlyList<Assignment>> ClaimAsync(ClaimRequest claim, IClaimTurn turn, CancellationToken ct);

    /// <summary>Applies each report under its fence, with its follow-ups, in one transaction; one verdict each.</summary>
    Task<IReadOnlyList<ReportVerdict>> ReportAsync(IReadOnlyList<LeaseReport> reports, CancellationToken ct);

    Task<ReportVerdict> ReportAsync(NamedReport report, CancellationToken ct);

    /// <summary>Renews leases for what they were granted for; one verdict each.</summary>
    Task<IReadOnlyList<HeartbeatVerdict>> HeartbeatAsync(IReadOnlyList<LeaseId> leases, CancellationToken ct);

    /// <summary>The same for what a worker holds of steps that it knows by name.</summary>
    Task<IReadOnlyList<HeartbeatVerdict>> HeartbeatAsync(string workerId, IReadOnlyList<NamedStep> held, CancellationToken ct);

    /// <summary>Publishes events while the step runs, or lines; false when the lease is not the current one.</summary>
    Task<bool> PublishAsync(LeaseId lease, IReadOnlyList<PublishedEvent> events, CancellationToken ct);

    /// <summary>The lease that a worker holds on a step, or null: broker-dialect workers know no lease ids.</summary>
    Task<LeaseId?> FindLeaseAsync(string workerId, string workflow, string workerInstanceId, string step, CancellationToken ct);
}

/// <summary>Starting and steering runs.</summary>
public interface IRunStore
{
    /// <summary>Starts all in one transaction; one outcome each. An id twice in one call: the first one counts.</summary>
    Task<IReadOnlyList<StartOutcome>> StartAsync(IReadOnlyList<StartRequest> starts, CancellationToken ct);

    /// <summary>Steers the current run of an instance. For Restart the outcome names the new run.</summary>
    Task<(ControlVerdict Verdict, RunRef? Run)> ControlAsync(string workflow, string instanceId, ControlCommand command, CancellationToken ct);

    /// <summary>Stores an event for the current run of an instance and gives it to the waits that want it.</summary>
    /// <returns>The verdict, and the run's status before the event took effect.</returns>
    Task<(SendVerdict Verdict, RunStatus Before)> SendAsync(
        string workflow, string instanceId, string type, string? payloadJson, string? targetStep, Delivery delivery, CancellationToken ct);

    /// <summary>Collects expired leases, at most a batch; returns how many.</summary>
    Task<int> ExpireLeasesAsync(int batch, CancellationToken ct);

    /// <summary>Finishes sleeps and waits that are due, at most a batch; returns how many.</summary>
    Task<int> FinishDueAsync(int batch, CancellationToken ct);
}

/// <summary>A page of rows and, when there is more, where to go on.</summary>
public sealed record Page<T>(IReadOnlyList<T> Rows, bool HasMore);

/// <summary>Reading runs and what happened in them.</summary>
public interface IHistory
{
    /// <summary>The current run of an instance (or the numbered one), with its reached steps; null when there is none.</summary>
    Task<RunView?> FindAsync(string workflow, string instanceId, int? number, CancellationToken ct);

    /// <summary>The current run of the newest instance with that id in any workflow, with its steps.</summary>
    Task<RunView?> FindByInstanceAsync(string instanceId, CancellationToken ct);

    /// <summary>The run that was started last in that workflow, with its steps; null when it never ran.</summary>
    Task<RunView?> LatestOfAsync(string workflow, CancellationToken ct);

    /// <summary>The last started run of each named workflow, with steps.</summary>
    Task<IReadOnlyDictionary<string, RunView>> LatestOfAsync(IReadOnlyList<string> workflows, CancellationToken ct);

    /// <summary>Current runs of all instances, oldest instance first, without steps.</summary>
    /// <param name="workflows">Only these; null for all.</param>
    /// <param name="ct">Gives up.</param>
    Task<IReadOnlyList<RunView>> ListAsync(IReadOnlyList<string>? workflows, CancellationToken ct);

    /// <summary>Instances of a workflow by descending id (ordinal), after <paramref name="afterId"/>; current runs without steps.</summary>
    Task<Page<RunView>> ListByIdAsync(string workflow, string? afterId, int limit, CancellationToken ct);

    /// <summary>Instances in any of these statuses by descending last update, then descending id.</summary>
    Task<Page<RunView>> ListByStatusAsync(
        string workflow, IReadOnlySet<RunStatus> statuses, (DateTimeOffset UpdatedAt, string Id)? after, int limit, CancellationToken ct);

    /// <summary>Steps of a run that have begun, in order of (begun, index), or the reverse.</summary>
    Task<Page<StepState>> StepsAsync(long runId, (DateTimeOffset Begun, int Index)? after, bool descending, int limit, CancellationToken ct);

    /// <summary>Inbound events of a run in order of arrival, or the reverse.</summary>
    Task<Page<InboundEvent>> InboundAsync(long runId, long? afterId, bool descending, int limit, CancellationToken ct);

    /// <summary>Log lines of a run in order of arrival, or the reverse; level and category filter before paging.</summary>
    Task<Page<LogRow>> LogsAsync(
        long runId, string? level, string? category, long? afterId, bool descending, int limit, CancellationToken ct);
}

/// <summary>A stored log line. <paramref name="MessageJson"/> is the raw JSON string as sent.</summary>
public sealed record LogRow(
    long Id, long? RunId, string Workflow, string Step, int? Attempt, string Level, string Category, string MessageJson, string? DataJson,
    long Sequence, string Stream, long TimestampMs, DateTimeOffset CreatedAt);

/// <summary>A chunk as jobs-dialect workers push it; filed under the names in the chunk.</summary>
/// <param name="Workflow">Workflow id as workers know it.</param>
/// <param name="Step">Job id.</param>
/// <param name="Sequence">The worker's own count; starts again with every attempt.</param>
/// <param name="DataJson">Raw JSON string.</param>
/// <param name="TimestampMs">The worker's clock.</param>
/// <param name="Stream">stdout or stderr.</param>
public sealed record LogChunk(string Workflow, string Step, long Sequence, string DataJson, long TimestampMs, string Stream);

/// <summary>Log lines: kept also from a lost lease, they change no state.</summary>
public interface ILogStore
{
    /// <summary>Stores chunks in order; the lease (if it is one of ours) tells the run they belong to.</summary>
    Task PushAsync(LeaseId? lease, IReadOnlyList<LogChunk> chunks, CancellationToken ct);

    /// <summary>Stores lines that came with a report.</summary>
    Task PushLinesAsync(RunRef run, string step, int? attempt, IReadOnlyList<LogLine> lines, CancellationToken ct);

    /// <summary>Chunks of a job after a row id, in order of arrival: a reader that goes on from the last id misses none.</summary>
    Task<IReadOnlyList<LogRow>> ReadAsync(string workflow, string step, long afterId, int limit, CancellationToken ct);
}

/// <summary>An event on a run's stream; numbered from 0 without gaps.</summary>
/// <param name="Sequence">Number within the run.</param>
/// <param name="Type">Event type; null for the terminal event, which is rendered from the run.</param>
/// <param name="ValueJson">Raw JSON object.</param>
/// <param name="Internal">Only for readers that ask for internal events.</param>
/// <param name="CreatedAt">When it was published.</param>
public sealed record StreamEvent(long Sequence, string? Type, string ValueJson, bool Internal, DateTimeOffset CreatedAt)
{
    public bool IsTerminal => Type is null;
}

/// <summary>The outbound events of runs.</summary>
public interface IEventStore
{
    /// <summary>Events after a sequence (-1: from the beginning), in order.</summary>
    Task<IReadOnlyList<StreamEvent>> ReadAsync(long runId, long after, int limit, CancellationToken ct);

    /// <summary>The number of the last event, -1 when there is none.</summary>
    Task<long> LastSequenceAsync(long runId, CancellationToken ct);

    /// <summary>Takes the run's single-reader lock for queue mode, or renews it; null when another reader holds it. Returns the position.</summary>
    Task<long?> TryLockQueueAsync(long runId, string reader, TimeSpan ttl, CancellationToken ct);

    /// <summary>How far queue mode has been read: the next event to deliver has a higher number.</summary>
    Task<long> QueuePositionAsync(long runId, CancellationToken ct);

    /// <summary>Moves the queue position on; false when the reader has lost the lock.</summary>
    Task<bool> AdvanceQueueAsync(long runId, string reader, long to, TimeSpan ttl, CancellationToken ct);

    Task UnlockQueueAsync(long runId, string reader, CancellationToken ct);
}

/// <summary>How a worker made itself known.</summary>
public enum WorkerKind
{
    /// <summary>Jobs dialect: id and labels of its own choice.</summary>
    Labelled = 0,

    /// <summary>Broker dialect: id from us, definitions that it can run.</summary>
    Registered = 1,
}

public sealed record LastTask(string Workflow, string InstanceId, string Step, bool Success);

/// <summary>A worker as it is listed.</summary>
/// <param name="Current">Step it holds a lease on now (the latest), or null.</param>
public sealed record WorkerView(
    string Id, IReadOnlyList<string> Labels, DateTimeOffset RegisteredAt, DateTimeOffset SeenAt, LastTask? LastTask, string? Current);

public interface IWorkerStore
{
    /// <summary>Jobs dialect: registers, or replaces the entry of that id.</summary>
    Task RegisterAsync(string id, IReadOnlyList<string> labels, CancellationToken ct);

    /// <summary>Broker dialect: registers the definitions and a new worker for them, all or nothing; null id on a conflict.</summary>
    Task<(string? Id, WorkflowDefinition? Conflict)> RegisterAsync(IReadOnlyList<WorkflowDefinition> definitions, CancellationToken ct);

    /// <summary>A sign of life; false when the id was never registered. Written within a second, with others.</summary>
    Task<bool> SeenAsync(string id, CancellationToken ct);

    /// <summary>A sign of life of a worker that need not be registered: asks the database nothing.</summary>
    void Seen(string id);

    /// <summary>Names of the workflows whose steps a registered worker may claim; none when it is not known or has labels instead.</summary>
    ValueTask<IReadOnlyList<string>> WorkflowsOfAsync(string id, CancellationToken ct);

    /// <summary>A sign of life that also tells of the last task.</summary>
    void Reported(string id, LastTask task);

    /// <summary>Workers of a kind in order of registration.</summary>
    /// <param name="kind">Dialect of registration.</param>
    /// <param name="seenSince">Only those seen since then; null for all.</param>
    /// <param name="ct">Gives up.</param>
    Task<IReadOnlyList<WorkerView>> ListAsync(WorkerKind kind, DateTimeOffset? seenSince, CancellationToken ct);

    /// <summary>Removes labelled workers not seen since then, at most a batch; returns how many. Registered ones are kept: they may come back.</summary>
    Task<int> PruneAsync(DateTimeOffset silentSince, int batch, CancellationToken ct);
}

/// <summary>Where workflow code lives. Credentials are given to workers and never logged.</summary>
public sealed record Repository(string Name, string Url, IReadOnlyList<string> Workflows, IReadOnlyDictionary<string, string> Credentials);

public interface IRepositoryStore
{
    /// <summary>Stores it; the same name again replaces the whole entry and keeps its place.</summary>
    Task PutAsync(Repository repository, CancellationToken ct);

    /// <summary>Without credentials they are not even decrypted; the answer has none then.</summary>
    Task<Repository?> FindAsync(string name, bool withCredentials, CancellationToken ct);

    /// <summary>In order of first registration.</summary>
    Task<IReadOnlyList<Repository>> ListAsync(int skip, int take, bool withCredentials, CancellationToken ct);

    /// <summary>Encrypts anew what lies in clear, or under a key that is not the present one; returns how many.</summary>
    Task<int> RenewCredentialsAsync(CancellationToken ct);
}

/// <summary>What something is waiting for may have happened: a hint, never the truth.</summary>
public interface IChanges
{
    /// <summary>Completes when a change of that topic is signalled, on this broker or another, after this call.</summary>
    /// <remarks>Subscribe, then look, then wait: nothing is missed. A lost signal of another broker is made up for within seconds.</remarks>
    IChangeSubscription Subscribe(string topic);

    /// <summary>Tells everybody, other brokers too.</summary>
    void Signal(string topic);
}

/// <summary>Waits for the next change of its topic; dispose it.</summary>
public interface IChangeSubscription : IDisposable
{
    /// <summary>True when signalled since the last wait; false after the time-out. Throws only on cancellation.</summary>
    Task<bool> WaitAsync(TimeSpan timeout, CancellationToken ct);
}

/// <summary>Topics of <see cref="IChanges"/>.</summary>
public static class Topics
{
    /// <summary>The run's stream got events, or the run ended.</summary>
    public static string Run(long runId) => $"r{runId}";

    /// <summary>A job got log lines; the names as workers know them.</summary>
    public static string Log(string workflow, string step) => string.Create(CultureInfo.InvariantCulture, $"l{workflow.Length}:{workflow}/{step}");

    internal static bool TryRun(string topic, out long runId)
    {
        runId = 0;
        return topic.StartsWith('r') && long.TryParse(topic.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out runId);
    }

    // The length tells the names apart: both may hold any character.
    internal static bool TryLog(string topic, out string workflow, out string step)
    {
        (workflow, step) = ("", "");
        var colon = topic.IndexOf(':', StringComparison.Ordinal);
        if (colon < 2 || topic[0] != 'l' || !int.TryParse(topic.AsSpan(1, colon - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var length)) return false;
        var end = colon + 1 + length;
        if (end >= topic.Length || topic[end] != '/') return false;
        (workflow, step) = (topic[(colon + 1)..end], topic[(end + 1)..]);
        return true;
    }
}

/// <summary>Where idle claims wait for work: woken as many as there is work for, by this broker's writes, other brokers' or a poll.</summary>
public interface IClaimGate
{
    /// <summary>
    /// Whether claims of the same kind are waiting, one of them has looked in vain and nothing has become ready since: a look would find
    /// nothing either.
    /// </summary>
    ValueTask<bool> IsQuietAsync(ClaimRequest claim, CancellationToken ct);

    /// <summary>Joins the queue of waiting claims; dispose to leave it.</summary>
    Task<IClaimTurn> EnterAsync(ClaimRequest claim, CancellationToken ct);
}

/// <summary>One waiting claim.</summary>
public interface IClaimTurn : IDisposable
{
    /// <summary>Begins a look, if it may find something.</summary>
    bool BeginsLook();

    /// <summary>The look was in vain: until something becomes ready others of this kind need not look.</summary>
    void FoundNothing();

    /// <summary>
    /// What it is being given by the transaction that makes a step ready, without a look of its own; null: nothing, it has to look. Once.
    /// </summary>
    Task<IReadOnlyList<Assignment>>? TakeOffer();

    /// <summary>The claim got something: nobody else need look for what it was woken for.</summary>
    void Served();

    /// <summary>Returns true when it is worth another look, false when the time is up.</summary>
    Task<bool> WaitAsync(TimeSpan timeout, CancellationToken ct);
}
