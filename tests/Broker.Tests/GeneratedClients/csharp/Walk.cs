// Compiled by the test together with the generated client, which is no part of the test project.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Net.Http;
using System.Threading;
using System.Threading.Tasks;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;

namespace Generated;

/// <summary>A value of several forms: the generator makes an empty class of it, which this gives the JSON.</summary>
public interface IForms
{
    JToken? Value { get; set; }
}

public partial class BackoffForm : IForms { [JsonIgnore] public JToken? Value { get; set; } }

public partial class ClaimJobAnswer : IForms { [JsonIgnore] public JToken? Value { get; set; } }

public partial class ClaimStepAnswer : IForms { [JsonIgnore] public JToken? Value { get; set; } }

public partial class GetJobWorkflowAnswer : IForms { [JsonIgnore] public JToken? Value { get; set; } }

public partial class GetRepositoryAnswer : IForms { [JsonIgnore] public JToken? Value { get; set; } }

public partial class ReportStepAnswer : IForms { [JsonIgnore] public JToken? Value { get; set; } }

public partial class ReportStepBody : IForms { [JsonIgnore] public JToken? Value { get; set; } }

public partial class ScalarForm : IForms { [JsonIgnore] public JToken? Value { get; set; } }

public partial class TextOrInteger : IForms { [JsonIgnore] public JToken? Value { get; set; } }

public partial class TextOrNumber : IForms { [JsonIgnore] public JToken? Value { get; set; } }

internal sealed class FormsConverter : JsonConverter
{
    public override bool CanConvert(Type objectType) => typeof(IForms).IsAssignableFrom(objectType);

    public override object ReadJson(JsonReader reader, Type objectType, object? existingValue, JsonSerializer serializer)
    {
        var forms = (IForms)Activator.CreateInstance(objectType)!;
        forms.Value = JToken.Load(reader);
        return forms;
    }

    public override void WriteJson(JsonWriter writer, object? value, JsonSerializer serializer) => ((IForms)value!).Value!.WriteTo(writer);
}

public partial class BrokerClient
{
    static partial void UpdateJsonSerializerSettings(JsonSerializerSettings settings) => settings.Converters.Add(new FormsConverter());
}

/// <summary>Calls every operation of /openapi.json.</summary>
public static class Walk
{
    public static async Task RunAsync(HttpClient http)
    {
        var api = new BrokerClient(http);
        await JobsAsync(api);
        await BrokerAsync(api);
        await RegisterWaitsAsync(api);
        await HandlersAsync(api);
        await InstancesAsync(api);
        await OperatorsAsync(api);
        await BulkAsync(api);
        await WebhooksAsync(api);
        await SchedulesAsync(api);
        await OrdersAsync(api);
        await HandsAsync(api);
        await api.LiveAsync();
        await api.ReadyAsync();
        await api.MetricsAsync();
        await KeysAsync(api, http);
    }

    private static async Task JobsAsync(BrokerClient api)
    {
        await StatusAsync(201, () => api.CreateSampleWorkflowAsync());
        var made = await ResultAsync<JobsWorkflow>(201, () => api.CreateJobWorkflowAsync(new()
        {
            Name = "csharp",
            Trigger = "push",
            Inputs = new Dictionary<string, InputForm> { ["channel"] = new() { Type = InputFormType.Choice, Options = ["beta", "stable"], Default = new() { Value = "beta" } } },
            Timeouts = new() { Run_ms = 3_600_000 },
            Jobs = [.. "abcdefg".Select(id => Job(id.ToString()))],
        }));
        Check((await api.ListJobWorkflowsAsync(limit: 10, status: Status.Queued)).Count > 0);
        await api.ListWorkflowFilesAsync(limit: 5);
        var started = await ResultAsync<JobsRunStarted>(202, () => api.RunJobWorkflowAsync(made.Id, "csharp", body: new()
        {
            Inputs = new Dictionary<string, object> { ["channel"] = "stable" },
            Tags = new Dictionary<string, TextOrNumber> { ["commit"] = new() { Value = "3c1f" } },
            If_active = JobsRunRequestIf_active.Join,
        }));
        Check(!started.Joined);
        await api.RegisterLabelledWorkerAsync(new() { Worker_id = "cs", Labels = ["cs"] });
        await api.LabelledWorkerHeartbeatAsync("cs");
        Check((await api.ListLabelledWorkersAsync()).Any(worker => worker.Status == JobsLabelledWorkerStatus.Idle));

        var claim = new JobsClaim { Worker_id = "cs", Labels = ["cs"], Lease_ttl_secs = 60 };
        var first = Of<JobsClaimedJob>((await api.ClaimJobAsync(claim)).Value);
        var rest = Of<JobsClaimedJob[]>((await api.ClaimJobAsync(new() { Worker_id = "cs", Labels = ["cs"], Count = 10 })).Value);
        Check(rest.Length == 6);
        Check((await api.ClaimJobAsync(claim)).Value!.Type is JTokenType.Null);
        Check((int?)first.Job.Retry_policy.Backoff.Value!["Fixed"]!["delay_secs"] == 2);
        await ReportAsync(api, first, rest);

        await api.GetJobWorkflowAsync(made.Id);
        Check((int?)(await api.GetJobWorkflowAsync(made.Id, run: 0)).Value!["run"] == 0);
        await (await api.GetStatusBadgeAsync(made.Id)).Stream.DisposeAsync();
        var cancelled = await ResultAsync<JobsCancelledRuns>(202, () => api.CancelJobWorkflowAsync(made.Id, body: new() { Grace_ms = 0 }));
        Check(cancelled.Cancelled.Single().Run == 0);
        Check((await ResultAsync<JobsJobRun>(410, () => api.GetJobWorkflowAsync(made.Id, wait: 0))).Status == JobsJobRunStatus.Cancelled);
    }

    private static JobsNewJob Job(string id) => new()
    {
        Id = id,
        Name = id,
        Command = "make",
        Required_labels = ["cs"],
        When = "success",
        Timeouts = new() { Attempt_ms = 600_000 },
        Retry_policy = new()
        {
            Max_retries = 1,
            Backoff = new() { Value = JToken.Parse("""{"Fixed": {"delay_secs": 2}}""") },
            Retry_on = [new() { Value = 75 }, new() { Value = "timeout" }],
        },
    };

    private static async Task ReportAsync(BrokerClient api, JobsClaimedJob first, JobsClaimedJob[] rest)
    {
        var lease = first.Lease.Lease_id;
        string[] others = [.. rest.Select(claimed => claimed.Lease.Lease_id)];
        var (workflow, job) = (first.Job.Workflow_id, first.Job.Job_id);
        await api.RenewJobLeasesAsync(new() { Lease_ids = [lease, "none"], Progress = new Dictionary<string, object> { [lease] = 1 } });
        Check((await api.RenewJobLeaseAsync(lease, new() { Progress = 12 })).Alive);
        await api.PushJobLogsAsync(lease, new()
        {
            Chunks = [new() { Workflow_id = workflow, Job_id = job, Sequence = 1, Data = "x\n", Timestamp_ms = 1, Stream = JobsLogChunkStream.Stdout }],
        });
        Check((await api.GetJobLogsAsync(workflow, job, run: 0)).Single().Run == 0);
        await (await api.StreamJobLogsAsync(workflow, job)).Stream.DisposeAsync();
        await api.IsJobCancelledAsync(workflow, job);
        await api.CompleteJobAsync(lease, new() { Outputs = new Dictionary<string, string> { ["version"] = "7.1" }, Summary = "## done" });
        await (await api.GetJobSummaryAsync(workflow, job)).Stream.DisposeAsync();
        await StatusAsync(204, () => api.GetJobSummaryAsync(workflow, rest[0].Job.Job_id));
        await api.FailJobAsync(others[0], new() { Error = "exit code 1", Retryable = false, Exit_code = 1 });
        await StatusAsync(409, () => api.FailJobAsync("none", new() { Error = "late" }));
        await api.PostponeJobAsync(others[1], new() { Delay_ms = 60_000 });
        await api.ReleaseJobAsync(others[2]);
        var batch = await api.CompleteJobsAsync(new()
        {
            Results = [new() { Lease_id = others[3] }, new() { Lease_id = others[4], Error = "exit code 2" }, new() { Lease_id = "none" }],
            Claim = new() { Worker_id = "cs", Labels = ["cs"], Count = 5 },
        });
        Check(batch.Results.Last().Verdict == JobsJobVerdictVerdict.Stale && batch.Claimed.Count == 1);
    }

    private static async Task BrokerAsync(BrokerClient api)
    {
        await StatusAsync(204, () => api.RegisterRepositoryAsync(new() { Name = "cs", Url = "https://example.com/cs.git", Workflows = ["a:b"] }));
        Check(Of<BrokerRepositoryInfo>((await api.GetRepositoryAsync(name: "cs")).Value).Workflows.Single() == "a:b");
        Check(Of<BrokerRepositoryInfo[]>((await api.GetRepositoryAsync(page: 1, page_size: 5)).Value).Length > 0);
        Check((await api.ListRepositoryWorkflowsAsync()).Count > 0);

        var workflow = new BrokerWorkflowSchema { Workflow_id = "cs-steps", Steps = new[] { "one", "two", "three" }.ToDictionary(name => name, Step) };
        var worker = await api.RegisterWorkerAsync([workflow]);
        await StatusAsync(204, () => api.ClaimStepAsync(worker));
        await api.DispatchAsync(new() { Workflow = workflow, Inputs = new Dictionary<string, object> { ["customer"] = 12 }, Priority = 1 });
        var first = Of<BrokerStepAssignment>((await api.ClaimStepAsync(worker, wait: 0.5, extras: true)).Value);
        var more = Of<BrokerStepAssignment[]>((await api.ClaimStepAsync(worker, count: 5)).Value);
        Check(more.Length == 2 && first.Lease_id is not null);
        Check((await api.RenewStepsAsync(worker, [Held(first)])).Single().Verdict == BrokerHeldStepVerdictVerdict.Renewed);
        await StatusAsync(204, () => api.PublishStepEventsAsync(worker, new()
        {
            Workflow_id = first.Workflow_id,
            Instance_id = first.Instance_id,
            Step_name = first.Step_name,
            Events = [new() { Type = "Progress", Value = new Dictionary<string, object> { ["percent"] = 40 } }],
        }));
        await StatusAsync(204, () => api.ReleaseStepAsync(worker, Held(more[1])));
        await StatusAsync(204, () => api.ReportStepAsync(worker, Body(Outcome(first, BrokerStepOutcomeState.SUCCEEDED))));
        var both = Of<BrokerReportsAndClaims>((await api.ReportStepAsync(worker, Body(Outcome(more[0], BrokerStepOutcomeState.FAILED)), claim: 1)).Value);
        Check(both.Assignments.Count == 1);
        var verdicts = Of<BrokerStepVerdict[]>((await api.ReportStepAsync(worker, Body(new[] { Outcome(more[1], BrokerStepOutcomeState.SUCCEEDED) }))).Value);
        Check(verdicts.Single().Verdict == BrokerStepVerdictVerdict.Accepted);
        await StatusAsync(204, () => api.KeepAliveAsync(worker));
        await StatusAsync(404, () => api.KeepAliveAsync("nobody"));
        Check((await api.ListWorkersAsync()).Any(seen => seen.Last_task?.Success is true));
        await api.StatusAsync();
    }

    private static BrokerStepSchema Step(string name) => new() { Name = name, Retries = new() { Limit = 1, Delay_ms = 5, Backoff = RetriesFormBackoff.Linear }, Emits = ["Progress"] };

    private static BrokerHeldStep Held(BrokerStepAssignment step) => new() { Workflow_id = step.Workflow_id, Instance_id = step.Instance_id, Step_name = step.Step_name };

    private static BrokerStepOutcome Outcome(BrokerStepAssignment step, BrokerStepOutcomeState state) =>
        new() { Workflow_id = step.Workflow_id, Instance_id = step.Instance_id, Step_name = step.Step_name, State = state, Result = "done" };

    private static ReportStepBody Body(object reports) => new() { Value = JToken.FromObject(reports) };

    /// <summary>A workflow that waits for an event, and one without steps.</summary>
    private static Task<string> RegisterWaitsAsync(BrokerClient api) => api.RegisterWorkerAsync(
    [
        new()
        {
            Workflow_id = "cs-waits",
            Steps = new Dictionary<string, BrokerStepSchema> { ["ask"] = new() { Kind = BrokerStepSchemaKind.WaitForEvent, Event = "go", Timeout_ms = 60_000 } },
            Events = new Dictionary<string, EventForm> { ["go"] = new() { Types = ["HumanResponseEvent"] } },
        },
        new() { Workflow_id = "cs-empty", Steps = new Dictionary<string, BrokerStepSchema>() },
    ]);

    private static async Task HandlersAsync(BrokerClient api)
    {
        const string name = "cs-waits";
        Check((await api.HealthAsync()).Status == HandlersStatusStatus.Healthy);
        await api.ListWorkflowsAsync();
        await api.GetWorkflowSchemaAsync(name);
        await api.ListWorkflowEventsAsync(name);
        await api.GetWorkflowRepresentationAsync(name);
        Check((await api.RunWorkflowAsync("cs-empty", body: new())).Status == HandlersHandlerStatus.Completed);
        var handler = (await api.RunWorkflowNowaitAsync(name, body: new())).Handler_id;
        await api.ListHandlersAsync(workflow_name: [name], limit: 5);
        await StatusAsync(202, () => api.GetHandlerAsync(handler));
        Check((await ResultAsync<HandlersHandler>(202, () => api.GetResultAsync(handler))).Status == HandlersHandlerStatus.Running);
        await api.SendEventAsync(handler, new() { Event = JObject.Parse("""{"type": "go", "value": {}}""") });
        await api.GetHandlerAsync(handler);
        await api.GetResultAsync(handler);
        await (await api.StreamEventsAsync(handler, include_internal: true, acquire_timeout: 0.5)).Stream.CopyToAsync(System.IO.Stream.Null);
        await StatusAsync(204, () => api.StreamEventsAsync(handler));
        await api.CancelHandlerAsync((await api.RunWorkflowNowaitAsync(name, body: new())).Handler_id, purge: true);
        await StatusAsync(404, () => api.GetResultAsync("nobody"));
    }

    private static async Task InstancesAsync(BrokerClient api)
    {
        const string name = "cs-waits", id = "cs-1";
        await api.ListInstanceWorkflowsAsync();
        await api.CreateInstanceAsync(name, new() { Id = id, Params = null });
        await api.CreateInstancesAsync(name, new() { Instances = [new() { Id = "cs-2" }, new() { Id = "cs-3" }] });
        await api.ListInstancesAsync(name, pageSize: 2);
        Check((await api.GetInstanceAsync(name, id)).Meta.CurrentStep!.Type == InstancesCurrentStepType.WaitForEvent);
        await api.GetInstanceHistoryAsync(name, id, includeLogs: true);
        await api.PauseInstanceAsync(name, id);
        await api.ResumeInstanceAsync(name, id);
        await api.SendInstanceEventAsync(name, id, new() { Type = "go", Payload = 1 });
        await api.RestartInstanceAsync(name, id);
        await api.TerminateInstanceAsync(name, id);
        await StatusAsync(409, () => api.TerminateInstanceAsync(name, id));
        var refused = await ResultAsync<InstancesInstanceError>(400, () => api.CreateInstanceAsync(name, new() { Id = "-" }));
        Check((string?)refused.Issues!.Single().Path.Single().Value == "id");
        await api.TickRunnerAsync(new() { MaxInstances = 1 });
    }

    private static async Task OperatorsAsync(BrokerClient api)
    {
        const string flow = "cs-waits", run = "ops";
        Check((await api.GetMeAsync()).Anonymous);
        await StatusAsync(201, () => api.StartRunAsync(flow, body: new() { Instance = run, If_exists = NewRunIf_exists.Fail, Tags = new { a = 1 } }));
        Check(!(await api.StartRunAsync(flow, body: new() { Instance = run, If_exists = NewRunIf_exists.Attach })).Started);
        await api.ListRunsAsync(where: "workflow=cs-waits", limit: 1);
        await api.CountRunsAsync(max: 5);
        Check((await api.GetRunAsync(flow, run)).Status == RunDetailStatus.Waiting);
        await api.ListRunStepsAsync(flow, run);
        await api.GetRunStatesAsync(flow, run);
        Check((await api.GetRunStepAsync(flow, run, "ask")).Causes.First().Code == StepCauseCode.Waiting_for_event);
        await api.ListStepAttemptsAsync(flow, run, "ask");
        await StatusAsync(404, () => api.ListStepItemsAsync(flow, run, "ask"));
        await api.ExplainRunAsync(flow, run);
        await api.ListRunEventsAsync(flow, run, direction: Direction.Out, @internal: true);
        await api.ListRunLogsAsync(flow, run, after: 0);
        await api.FindInRunLogsAsync(flow, run, q: "x", @case: true);
        await api.ListAllWorkflowsAsync(q: "cs");
        await api.GetGraphAsync((await api.ShowWorkflowAsync(flow)).Fingerprint);
        await api.ListVersionsAsync(flow);
        await api.ListWaitingAsync(overdue: false);
        await api.ListQueuesAsync();
        await api.ShowWorkerAsync((await api.ListAllWorkersAsync(busy: false)).Items.First().Id);
        await api.ExplainRunsAsync();
        await api.ListAuditAsync(limit: 3);
        await api.TagRunAsync(flow, run, new { branch = "main", attempt = 3 });
        await api.PauseRunAsync(flow, run, new() { Reason = "a walk" });
        await api.ResumeRunAsync(flow, run);
        await api.SendRunEventAsync(flow, run, new() { Type = "other" });
        await api.RestartRunAsync(flow, run);
        await api.CancelRunAsync(flow, run, new() { Grace_ms = 0 });
        await api.RetryRunAsync(flow, run, new() { Dry_run = true });
        await StatusAsync(201, () => api.RetryRunAsync(flow, run));
        await api.ForkRunAsync(flow, run, body: new() { Events = RunForkEvents.Drop, Dry_run = true });
        await StatusAsync(201, () => api.ForkRunAsync(flow, run));
        await api.TerminateRunAsync(flow, run);
        Check((await ResultAsync<OperatorProblem>(409, () => api.PauseRunAsync(flow, run))).Code == OperatorProblemCode.Not_allowed);
        await api.DeleteRunAsync(flow, run);
        Check((await ResultAsync<OperatorProblem>(404, () => api.GetRunAsync(flow, run))).Code == OperatorProblemCode.Not_found);
    }

    private static async Task BulkAsync(BrokerClient api)
    {
        var plan = await api.PlanBulkAsync(new() { Action = NewBulkAction.Pause, Where = "workflow=cs-waits" });
        var id = plan.Id.ToString();
        Check(plan.State == BulkPlanState.Planned);
        await StatusAsync(202, () => api.StartBulkAsync(id, new() { Confirm = plan.Confirm, Count = plan.Matched.Count }));
        await api.ListBulkAsync(limit: 5);
        await api.GetBulkAsync(id);
        await api.ListBulkResultsAsync(id);
        var started = await ResultAsync<BulkPlan>(202, () => api.PlanBulkAsync(new() { Action = NewBulkAction.Cancel, Where = "workflow=cs-waits", Rate = 1, Dry_run = false }));
        await api.StopBulkAsync(started.Id.ToString());
    }

    private static async Task WebhooksAsync(BrokerClient api)
    {
        var made = await ResultAsync<CreatedWebhook>(201, () => api.CreateWebhookAsync(JsonConvert.DeserializeObject<NewWebhook>("""{"url": "http://hooks.invalid/", "events": ["run.failed"]}""")!));
        Check((await api.ListWebhooksAsync()).Items.Count == 1);
        Check((await api.GetWebhookAsync(made.Id)).Enabled);
        var test = await ResultAsync<WebhookDelivery>(201, () => api.TestWebhookAsync(made.Id));
        await api.ReplayDeliveryAsync(made.Id, test.Id.ToString());
        await api.ListDeliveriesAsync(made.Id, limit: 5);
        Check(!(await api.ChangeWebhookAsync(made.Id, new() { Enabled = false })).Enabled);
        await api.DeleteWebhookAsync(made.Id);
    }

    private static async Task SchedulesAsync(BrokerClient api)
    {
        const string name = "cs-nightly";
        var made = await api.PutScheduleAsync(name, new() { Workflow = "cs-waits", Cron = "0 3 * * *", Timezone = "Europe/Berlin", Overlap = ScheduleSpecOverlap.Queue_all });
        Check(made.Overlap == ScheduleOverlap.Queue_all && made.Cron.Single() == "0 3 * * *");
        Check((await api.ListSchedulesAsync(q: name)).Items.Count == 1);
        Check((await api.PauseScheduleAsync(name)).Paused is not null);
        Check((await ResultAsync<ScheduleFiring>(201, () => api.TriggerScheduleAsync(name))).Status == ScheduleFiringStatus.Started);
        Check((await api.BackfillScheduleAsync(name, new() { From = DateTimeOffset.UnixEpoch, To = DateTimeOffset.UnixEpoch.AddDays(2), Dry_run = true })).Instants.Count == 2);
        await api.ResumeScheduleAsync(name);
        Check((await api.GetNextInstantsAsync(name, 5)).Instants.Count == 5);
        Check((await api.ListFiringsAsync(name)).Items.Count > 0);
        await api.GetScheduleAsync(name);
        await api.DeleteScheduleAsync(name);
    }

    private static async Task OrdersAsync(BrokerClient api)
    {
        const string flow = "cs-waits";
        Check((await api.PublishEventAsync(new() { Type = "walk" })).Targets.Count == 0);
        Check((await api.BeginMaintenanceAsync()).Maintenance is not null);
        await api.EndMaintenanceAsync();
        await api.PauseStartsAsync(flow);
        await api.ResumeStartsAsync(flow);
        var worker = (await api.ListAllWorkersAsync()).Items.First().Id;
        await api.DrainWorkerAsync(worker);
        await api.UndrainWorkerAsync(worker);
        await api.ReleaseWorkerAsync(worker);
        await api.ApplyWorkflowAsync("cs-file", new() { Text = "name: cs-file\non: workflow_dispatch\njobs: { build: { run: make } }\n" });
        await api.GetOverviewAsync(window: "1h");
        await api.ListFailuresAsync();
        await api.GetRunHistogramAsync(buckets: 10);
        await api.SearchAsync(q: "cs");
        await api.GetSystemAsync();
        await (await api.StreamRunEventsAsync(flow, "cs-1")).Stream.DisposeAsync();
        await (await api.StreamRunLogsAsync(flow, "cs-1")).Stream.DisposeAsync();
    }

    private static async Task HandsAsync(BrokerClient api)
    {
        const string flow = "cs-waits", step = "ask";
        foreach (var instance in (string[])["h1", "h2", "h3"]) await StatusAsync(201, () => api.StartRunAsync(flow, body: new() { Instance = instance }));
        await api.CompleteStepAsync(flow, "h1", step, new() { Value = new JObject(), Reason = "a walk" });
        await api.FailStepAsync(flow, "h2", step, new() { Name = "Stopped", Message = "by hand", Reason = "a walk" });
        await api.SkipStepAsync(flow, "h3", step, new() { Reason = "a walk" });
        await StatusAsync(409, () => api.RetryStepNowAsync(flow, "h3", step, new() { Reason = "a walk" }));
        await StatusAsync(409, () => api.ReleaseStepByHandAsync(flow, "h3", step, new() { Reason = "a walk" }));
        await (await api.WatchChangesAsync(topics: "runs")).Stream.DisposeAsync();
    }

    // Last of all: from the first key on the broker asks for keys.
    private static async Task KeysAsync(BrokerClient api, HttpClient http)
    {
        var made = await ResultAsync<CreatedKey>(201, () => api.CreateKeyAsync(JsonConvert.DeserializeObject<NewKey>("""{"name": "walk", "scopes": ["admin"]}""")!));
        http.DefaultRequestHeaders.Authorization = new("Bearer", made.Key);
        Check((await api.ListKeysAsync()).Items.Count > 0);
        Check((await api.ListSessionsAsync()).Items.Count == 0);
        await StatusAsync(404, () => api.EndSessionAsync("absent"));
        await api.RevokeKeyAsync(made.Info.Id);
    }

    /// <summary>The generator throws for each status but the first success, with the body as the exception's result.</summary>
    private static async Task<T> ResultAsync<T>(int status, Func<Task> call)
    {
        try
        {
            await call();
        }
        catch (ApiException<T> answer) when (answer.StatusCode == status)
        {
            return answer.Result;
        }

        throw new InvalidOperationException($"{typeof(T).Name} with {status} was expected");
    }

    private static async Task<T> ResultAsync<T>(int status, Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (ApiException<T> answer) when (answer.StatusCode == status)
        {
            return answer.Result;
        }
    }

    private static async Task StatusAsync(int status, Func<Task> call)
    {
        try
        {
            await call();
        }
        catch (ApiException answer) when (answer.StatusCode == status)
        {
            return;
        }

        if (status >= 300) throw new InvalidOperationException($"{status} was expected");
    }

    private static T Of<T>(JToken? value) => value!.ToObject<T>(JsonSerializer.Create(new() { Converters = { new FormsConverter() } }))!;

    private static void Check(bool holds, [System.Runtime.CompilerServices.CallerArgumentExpression(nameof(holds))] string text = "")
    {
        if (!holds) throw new InvalidOperationException($"{text} does not hold");
    }
}
