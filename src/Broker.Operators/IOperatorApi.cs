using Broker.Operators.Graphs;

namespace Broker.Operators;

/// <summary>
/// The API for operators: one method for each route below <c>/api/v1</c>. Every method throws <see cref="OperatorException"/> where the route
/// answers with a problem.
/// </summary>
public partial interface IOperatorApi
{
    /// <summary>The caller and the broker.</summary>
    Task<Me> MeAsync(CancellationToken ct);

    /// <summary>Runs of all workflows that the caller may know.</summary>
    /// <param name="query">Choice, order and page.</param>
    /// <param name="ct">Gives up.</param>
    Task<Listing<RunSummary>> ListRunsAsync(RunQuery query, CancellationToken ct);

    /// <summary>Number of runs that fit.</summary>
    /// <param name="query">Choice of runs.</param>
    /// <param name="max">The count goes no further, 1 to 10,000.</param>
    /// <param name="ct">Gives up.</param>
    Task<RunCount> CountRunsAsync(RunQuery query, int max, CancellationToken ct);

    /// <summary>One run.</summary>
    Task<RunDetail> GetRunAsync(RunAddress run, CancellationToken ct);

    /// <summary>The same, when the run has ended or the time is over.</summary>
    /// <param name="run">The run.</param>
    /// <param name="wait">Time to wait, at most 60 s.</param>
    /// <param name="ct">Gives up.</param>
    Task<RunDetail> WaitForRunAsync(RunAddress run, TimeSpan wait, CancellationToken ct);

    /// <summary>Events that a run published and those that it publishes, without internal ones, until it has ended.</summary>
    /// <param name="run">The run.</param>
    /// <param name="after">Begin behind the event of this id; null: with the first.</param>
    /// <param name="ct">Ends the stream.</param>
    IAsyncEnumerable<RunEvent> FollowEventsAsync(RunAddress run, long? after, CancellationToken ct);

    /// <summary>Lines of a run that are stored and those that come in, within a second, until it has ended.</summary>
    /// <param name="run">The run.</param>
    /// <param name="query">Choice of lines; <c>After</c> is the place to begin, and the limit does not count.</param>
    /// <param name="ct">Ends the stream.</param>
    IAsyncEnumerable<RunLogLine> FollowLogsAsync(RunAddress run, LogQuery query, CancellationToken ct);

    /// <summary>All steps of a run in order of the definition, also those that were not reached.</summary>
    Task<Listing<StepSummary>> ListStepsAsync(RunAddress run, StepQuery query, CancellationToken ct);

    /// <summary>Status of every step of a run, in little space.</summary>
    Task<StepStates> GetStepStatesAsync(RunAddress run, CancellationToken ct);

    /// <summary>One step, with the causes of its state.</summary>
    Task<StepDetail> GetStepAsync(RunAddress run, string step, CancellationToken ct);

    /// <summary>Attempts of a step, oldest first: the last 100 that did not succeed, and the present or last one.</summary>
    Task<Listing<StepAttempt>> ListAttemptsAsync(RunAddress run, string step, CancellationToken ct);

    /// <summary>Items of a map in order of its list: those that have begun, or that a worker may take.</summary>
    Task<Listing<StepItem>> ListItemsAsync(RunAddress run, string step, StepQuery query, CancellationToken ct);

    /// <summary>Why the open steps of a run do not run.</summary>
    Task<RunExplanation> ExplainRunAsync(RunAddress run, CancellationToken ct);

    /// <summary>Events of a run, oldest first.</summary>
    Task<Listing<RunEvent>> ListEventsAsync(RunAddress run, EventQuery query, CancellationToken ct);

    /// <summary>Lines that the steps of a run wrote.</summary>
    Task<LogListing> ListLogsAsync(RunAddress run, LogQuery query, CancellationToken ct);

    /// <summary>Lines that hold a text.</summary>
    /// <param name="run">The run.</param>
    /// <param name="query">Lines to search; <c>After</c> goes on.</param>
    /// <param name="text">Text that a line holds.</param>
    /// <param name="matchCase">Upper and lower case differ.</param>
    /// <param name="ct">Gives up.</param>
    Task<LogListing> FindInLogsAsync(RunAddress run, LogQuery query, string text, bool matchCase, CancellationToken ct);

    /// <summary>Why open runs stand still.</summary>
    /// <param name="query">Choice of runs; those that have ended are left out.</param>
    /// <param name="ct">Gives up.</param>
    Task<RunsExplanation> ExplainAsync(RunQuery query, CancellationToken ct);

    /// <summary>Workflows in order of their first registration.</summary>
    /// <param name="contains">Text that the name holds; null: all.</param>
    /// <param name="cursor">Cursor of the page before; null begins the list.</param>
    /// <param name="limit">Most items, 1 to 200.</param>
    /// <param name="ct">Gives up.</param>
    Task<Listing<WorkflowSummary>> ListWorkflowsAsync(string? contains, string? cursor, int limit, CancellationToken ct);

    /// <summary>A workflow.</summary>
    /// <param name="workflow">Name.</param>
    /// <param name="version">Version; null: the one that a start runs.</param>
    /// <param name="ct">Gives up.</param>
    Task<WorkflowDetail> GetWorkflowAsync(string workflow, string? version, CancellationToken ct);

    /// <summary>Versions of a workflow, the one registered last first; at most 200.</summary>
    Task<Listing<WorkflowVersion>> ListVersionsAsync(string workflow, CancellationToken ct);

    /// <summary>Makes a workflow what a workflow file says: the file's version is the one that starts run.</summary>
    /// <param name="workflow">Name of the workflow; a folder of files uses the file's name without its extension.</param>
    /// <param name="file">The file.</param>
    /// <param name="ct">Gives up.</param>
    Task<AppliedWorkflow> ApplyAsync(string workflow, WorkflowText file, CancellationToken ct);

    /// <summary>Steps that wait for events, the wait that ends first first.</summary>
    Task<Listing<WaitingStep>> ListWaitingAsync(WaitQuery query, CancellationToken ct);

    /// <summary>Queues with claimable or leased steps; at most 1,000.</summary>
    Task<Listing<WorkQueue>> ListQueuesAsync(CancellationToken ct);

    /// <summary>Workers in order of registration.</summary>
    Task<Listing<WorkerInfo>> ListWorkersAsync(WorkerQuery query, CancellationToken ct);

    /// <summary>One worker, with up to 200 of its leases.</summary>
    Task<WorkerInfo> GetWorkerAsync(string id, CancellationToken ct);

    /// <summary>Entries of the audit trail, newest first.</summary>
    Task<Listing<AuditRecord>> ListAuditAsync(AuditQuery query, CancellationToken ct);

    /// <summary>Subscriptions to events of runs, in order of creation; at most 100.</summary>
    Task<Listing<Webhook>> ListWebhooksAsync(CancellationToken ct);

    /// <summary>Makes a subscription; the answer alone has its secret.</summary>
    Task<CreatedWebhook> CreateWebhookAsync(NewWebhook webhook, CancellationToken ct);

    /// <summary>One subscription.</summary>
    Task<Webhook> GetWebhookAsync(string id, CancellationToken ct);

    /// <summary>Changes a subscription, and forgets its failures.</summary>
    Task<Webhook> ChangeWebhookAsync(string id, WebhookChange change, CancellationToken ct);

    /// <summary>Deletes a subscription with its deliveries; returns it as it was.</summary>
    Task<Webhook> DeleteWebhookAsync(string id, CancellationToken ct);

    /// <summary>Deliveries of a subscription, newest first.</summary>
    Task<Listing<WebhookDelivery>> ListDeliveriesAsync(string id, DeliveryQuery query, CancellationToken ct);

    /// <summary>Sends a delivery again, under the same message id.</summary>
    Task<WebhookDelivery> ReplayDeliveryAsync(string id, long delivery, CancellationToken ct);

    /// <summary>Sends the event webhook.test to a subscription.</summary>
    Task<WebhookDelivery> TestWebhookAsync(string id, CancellationToken ct);

    /// <summary>Ends the newest run of an instance; steps that run after a cancel get the grace time.</summary>
    Task<RunChange> CancelAsync(string workflow, string instance, RunCommand command, CancellationToken ct);

    /// <summary>Ends the newest run of an instance at once.</summary>
    Task<RunChange> TerminateAsync(string workflow, string instance, RunCommand command, CancellationToken ct);

    /// <summary>Hands out no further step of a run.</summary>
    Task<RunChange> PauseAsync(string workflow, string instance, RunCommand command, CancellationToken ct);

    /// <summary>Hands out the steps of a paused run again.</summary>
    Task<RunChange> ResumeAsync(string workflow, string instance, RunCommand command, CancellationToken ct);

    /// <summary>Starts a further run of an instance with the same inputs; the newest one is ended if it has not.</summary>
    Task<RunChange> RestartAsync(string workflow, string instance, RunCommand command, CancellationToken ct);

    /// <summary>Starts a further run of an instance that keeps the steps of the newest one which finished.</summary>
    Task<RunRerun> RetryAsync(string workflow, string instance, RunRetry retry, CancellationToken ct);

    /// <summary>Starts a new instance that keeps the finished steps of a run.</summary>
    Task<RunRerun> ForkAsync(RunAddress run, RunFork fork, CancellationToken ct);

    /// <summary>Completes a step that has not ended, by hand.</summary>
    Task<StepDetail> CompleteStepAsync(RunAddress run, string step, StepCompletion completion, CancellationToken ct);

    /// <summary>Fails a step that has not ended, by hand and for good.</summary>
    Task<StepDetail> FailStepAsync(RunAddress run, string step, StepFailing failing, CancellationToken ct);

    /// <summary>Skips a step that has not ended.</summary>
    Task<StepDetail> SkipStepAsync(RunAddress run, string step, StepCommand command, CancellationToken ct);

    /// <summary>Makes a delayed step claimable at once.</summary>
    Task<StepDetail> RetryStepNowAsync(RunAddress run, string step, StepCommand command, CancellationToken ct);

    /// <summary>Takes a step from the worker that holds it, charged nothing.</summary>
    Task<StepDetail> ReleaseStepAsync(RunAddress run, string step, StepCommand command, CancellationToken ct);

    /// <summary>Deletes an instance with all its runs.</summary>
    Task<RunChange> DeleteAsync(string workflow, string instance, RunCommand command, CancellationToken ct);

    /// <summary>Sends an event to the newest run of an instance.</summary>
    Task<EventReceipt> SendEventAsync(string workflow, string instance, NewEvent sent, CancellationToken ct);

    /// <summary>Starts a run.</summary>
    /// <param name="workflow">Workflow.</param>
    /// <param name="start">The run.</param>
    /// <param name="idempotencyKey">Sent again with the same key and content, the answer is the run of the first time; null for none.</param>
    /// <param name="ct">Gives up.</param>
    Task<StartedRun> StartAsync(string workflow, NewRun start, string? idempotencyKey, CancellationToken ct);

    /// <summary>Replaces the tags of a run.</summary>
    /// <param name="run">The run.</param>
    /// <param name="tags">JSON object: up to 16 names with a string or a number each.</param>
    /// <param name="ct">Gives up.</param>
    Task<RunTagSet> SetTagsAsync(RunAddress run, RawJson tags, CancellationToken ct);

    /// <summary>The graph of a definition as it is drawn.</summary>
    /// <param name="fingerprint">Hash of the definition's content.</param>
    /// <param name="fold">More steps than that with the same predecessors and successors are drawn as one, 1 to 1,000; null: 8.</param>
    /// <param name="ct">Gives up.</param>
    Task<GraphGeometry> GetGraphAsync(string fingerprint, int? fold, CancellationToken ct);

    /// <summary>The same by group.</summary>
    /// <param name="query">Choice of runs.</param>
    /// <param name="group">status, workflow, or error (the name of the error; of failed runs alone).</param>
    /// <param name="ct">Gives up.</param>
    Task<RunCount> GroupRunsAsync(RunQuery query, string group, CancellationToken ct);

    /// <summary>Runs over time by status: the newest 10,000 of the choice.</summary>
    /// <param name="query">Choice of runs.</param>
    /// <param name="buckets">Number of buckets, 1 to 200.</param>
    /// <param name="ct">Gives up.</param>
    Task<RunHistogram> GetHistogramAsync(RunQuery query, int buckets, CancellationToken ct);

    /// <summary>Failures that look alike, by group.</summary>
    Task<FailureGroups> ListFailuresAsync(FailureQuery query, CancellationToken ct);

    /// <summary>State of the broker at one look.</summary>
    /// <param name="window">Length of the time that failures and starts are counted in, up to 30 days.</param>
    /// <param name="ct">Gives up.</param>
    Task<Overview> GetOverviewAsync(TimeSpan window, CancellationToken ct);

    /// <summary>Things that a text names: runs, workflows, workers, leases and, for admin keys, keys.</summary>
    /// <param name="text">An id, or the begin of an instance id or a part of a workflow's name.</param>
    /// <param name="limit">Most hits, 1 to 50.</param>
    /// <param name="ct">Gives up.</param>
    Task<SearchHits> SearchAsync(string text, int limit, CancellationToken ct);

    /// <summary>The broker that answers, and its settings.</summary>
    Task<SystemInfo> GetSystemAsync(CancellationToken ct);

    /// <summary>Starts no further run of a workflow until it is resumed.</summary>
    Task<WorkflowStarts> PauseStartsAsync(string workflow, HoldCommand command, CancellationToken ct);

    /// <summary>Lets runs of a workflow start again.</summary>
    Task<WorkflowStarts> ResumeStartsAsync(string workflow, HoldCommand command, CancellationToken ct);

    /// <summary>Gives a worker no further steps; those that it holds go on.</summary>
    Task<WorkerOrder> DrainWorkerAsync(string worker, HoldCommand command, CancellationToken ct);

    /// <summary>Gives a drained worker steps again.</summary>
    Task<WorkerOrder> UndrainWorkerAsync(string worker, HoldCommand command, CancellationToken ct);

    /// <summary>Takes all leases from a worker; the steps are ready for others, charged nothing.</summary>
    Task<WorkerOrder> ReleaseWorkerAsync(string worker, HoldCommand command, CancellationToken ct);

    /// <summary>All keys of the database, oldest first, and those of the configuration.</summary>
    Task<Listing<KeyInfo>> ListKeysAsync(CancellationToken ct);

    /// <summary>Makes a key.</summary>
    Task<CreatedKey> CreateKeyAsync(NewKey key, CancellationToken ct);

    /// <summary>Revokes a key for good.</summary>
    Task<KeyInfo> RevokeKeyAsync(string id, CancellationToken ct);

    /// <summary>Browsers that are signed in to the console, the last sign-in first; at most 1,000.</summary>
    Task<Listing<SessionInfo>> ListSessionsAsync(CancellationToken ct);

    /// <summary>Signs a browser out.</summary>
    Task<SessionInfo> EndSessionAsync(string id, CancellationToken ct);

    /// <summary>Says what an action on many runs would do, or starts it at once.</summary>
    Task<BulkPlan> PlanBulkAsync(NewBulk bulk, CancellationToken ct);

    /// <summary>Starts an action that was tried within 10 minutes.</summary>
    Task<BulkState> StartBulkAsync(long id, BulkStart start, CancellationToken ct);

    /// <summary>Ends an action; runs that it was done to stay so.</summary>
    Task<BulkState> StopBulkAsync(long id, BulkStop stop, CancellationToken ct);

    /// <summary>Actions on many runs, newest first.</summary>
    Task<Listing<BulkState>> ListBulkAsync(string? cursor, int limit, CancellationToken ct);

    /// <summary>One action on many runs.</summary>
    Task<BulkState> GetBulkAsync(long id, CancellationToken ct);

    /// <summary>Outcomes of an action, in the order in which its runs are listed.</summary>
    Task<Listing<BulkResult>> ListBulkResultsAsync(long id, BulkResultQuery query, CancellationToken ct);
}
