using System.Text.Json;
using Broker.Core.Json;
using Broker.Core.Runs;
using Broker.Engine;
using Broker.Http;
using Broker.Operations.Tracing;

namespace Broker.Api.JobsDialect;

/// <summary>Running, showing and cancelling workflows (jobs contract 3), as a whole or run by run.</summary>
internal static class RunRoutes
{
    public const string Markdown = "text/markdown; charset=utf-8";

    /// <summary>
    /// A new run, unless the last one is active: then nothing happens. A request with a body or for JSON gets the run, and one
    /// with <c>wait</c> how that run ended.
    /// </summary>
    public static async Task RunAsync(HttpContext http, BrokerEngine engine, string id, CancellationToken ct)
    {
        if (await RunRequests.WaitOfAsync(http) is not (true, var wait)) return;
        if (wait is not null && !Idempotency.IsAsked(http.Request))
        {
            await JobsErrors.SendAsync(
                http.Response, StatusCodes.Status400BadRequest, $"wait: a start that waits needs the header {Idempotency.Header}, so that the request sent again waits for the same run", "wait");
            return;
        }

        if (await TargetAsync(engine, id, ct) is not { } target)
        {
            await JobsErrors.UnknownWorkflowAsync(http.Response, id);
            return;
        }

        if (await ReadAsync(http, engine, id, target, ct) is not var (start, body)) return;
        var outcome = await engine.StartAsync(start, ct);
        if (body.IfActive is IfActive.Start && outcome.Verdict is StartVerdict.StillActive)
            outcome = await engine.StartAsync(start with { InstanceId = BrokerEngine.NewInstanceId(), Mode = StartMode.NewInstance }, ct);
        Idempotency.Mark(http.Response, outcome);
        await (outcome.Verdict switch
        {
            StartVerdict.KeyReused => JobsErrors.SendAsync(http.Response, StatusCodes.Status422UnprocessableEntity, StartRefusal.KeyReused),
            StartVerdict.StartsPaused => JobsErrors.SendAsync(http.Response, StatusCodes.Status409Conflict, engine.StartsPaused(start.Definition.Name)),
            StartVerdict.BacklogFull => JobsErrors.SendAsync(
                http.Response, StatusCodes.Status429TooManyRequests, StartRefusal.BacklogFull(http, start.Definition.Name, engine.Settings.Limits.Backlog)),
            StartVerdict.InputsRefused => JobsErrors.WrongShapeAsync(http.Response, [.. outcome.Problems.Select(problem => StartInputs.ProblemIn("inputs", problem))]),
            StartVerdict.OtherInputs => JobsErrors.OtherInputsAsync(http.Response, outcome),
            StartVerdict.StillActive when body.IfActive is IfActive.Reject => JobsErrors.SendAsync(
                http.Response, StatusCodes.Status409Conflict, $"run {outcome.Run!.Number} of the instance '{outcome.Run.InstanceId}' is active", "if_active"),
            StartVerdict.Started or StartVerdict.AlreadyExists or StartVerdict.StillActive or StartVerdict.NotContinuable => AnswerAsync(http, engine, outcome, body, wait, ct),
        });
    }

    // Null: nothing of that name can be started.
    private static async Task<StartRequest?> TargetAsync(BrokerEngine engine, string id, CancellationToken ct)
    {
        if (!JobIds.MayExist(id)) return null;
        if (await engine.StartableAsync(id, ct) is { } definition) return new(definition, id) { Mode = StartMode.NextRun };

        // An instance of another workflow; one whose own workflow was a file that is gone is no way to start it again.
        if (await engine.FindRunAsync(id, ct) is not { } run || await engine.StartableAsync(run.Ref.Workflow, ct) is null) return null;
        return new(run.Definition, run.Ref.InstanceId) { Mode = StartMode.NextRun, InputsJson = run.InputsJson };
    }

    // Null after an error answer.
    private static async Task<(StartRequest Start, RunBody Body)?> ReadAsync(HttpContext http, BrokerEngine engine, string id, StartRequest target, CancellationToken ct)
    {
        using var sent = await JsonBody.ReadAsync(http.Request, engine.Settings, ct);
        if (sent.Fault is not (BodyFault.None or BodyFault.Empty))
        {
            await JobsErrors.BadBodyAsync(http.Response, sent);
            return null;
        }

        var reader = new JobsReader(engine.Settings.Limits);
        var body = sent.Fault is BodyFault.None ? RunBody.Read(sent.Root, reader) : RunBody.None;
        if (body.Id is not null && target.InstanceId != target.Definition.Name) reader.Add("id", "the path names an instance already");
        if (reader.IsBroken)
        {
            await JobsErrors.WrongShapeAsync(http.Response, reader.Problems);
            return null;
        }

        if (!Idempotency.TryRead(http, "run-job-workflow", id, sent.Fault is BodyFault.None ? sent.Root : default, out var key))
        {
            await JobsErrors.SendAsync(http.Response, StatusCodes.Status400BadRequest, Idempotency.Malformed);
            return null;
        }

        var start = body.Of(target) with
        {
            Key = key is null ? null : key with { KeepsStanding = body.IfActive is IfActive.Join },
            TraceParent = TraceParents.Of(http),
        };
        return (start, body);
    }

    private static Task AnswerAsync(HttpContext http, BrokerEngine engine, StartOutcome outcome, RunBody body, TimeSpan? wait, CancellationToken ct)
    {
        if (outcome.Run is { } run && wait is { } limit) return WaitAsync(http, engine, run, limit, ct);
        return outcome.Run is { } started && (!ReferenceEquals(body, RunBody.None) || RunRequests.AcceptsJson(http.Request))
            ? RunAnswer.StartedAsync(http, started, outcome.Verdict is StartVerdict.StillActive)
            : JobsErrors.EmptyAsync(http.Response, StatusCodes.Status202Accepted);
    }

    /// <summary>The workflow; with <c>run</c> that run; with <c>wait</c> the run once it has ended.</summary>
    public static async Task StatusAsync(HttpContext http, BrokerEngine engine, string id, CancellationToken ct)
    {
        if (await RunRequests.RunOfAsync(http) is not (true, var number) || await RunRequests.WaitOfAsync(http) is not (true, var wait)) return;
        if (number is null && wait is null)
        {
            if (await WorkflowLookup.FindAsync(engine, id, ct) is { } workflow) await WorkflowRoutes.SendAsync(http, StatusCodes.Status200OK, workflow);
            else if (JobIds.MayExist(id) && await engine.FileErrorAsync(id, ct) is { } error) await JobsErrors.SendAsync(http.Response, StatusCodes.Status404NotFound, $"the file of the workflow '{id}' cannot be read: {error}");
            else await JobsErrors.UnknownWorkflowAsync(http.Response, id);
            return;
        }

        if (await WorkflowLookup.FindRunAsync(engine, id, number, ct) is not { } run) await JobsErrors.UnknownRunAsync(http.Response, id, number);
        else if (wait is { } limit) await WaitAsync(http, engine, run.Ref, limit, ct);
        else if (RunRequests.AcceptsJson(http.Request)) await RunAnswer.SendAsync(http, run);
        else await WorkflowRoutes.SendAsync(http, StatusCodes.Status200OK, new(id, run.Definition, run));
    }

    /// <summary>The markdown that a job reported last in a run.</summary>
    public static async Task SummaryAsync(HttpContext http, BrokerEngine engine, string workflow, string job, CancellationToken ct)
    {
        if (await RunRequests.RunOfAsync(http) is not (true, var number)) return;
        if (await WorkflowLookup.FindRunAsync(engine, workflow, number, ct) is not { } run || run.Definition.Find(job) is null)
        {
            await JobsErrors.UnknownRunAsync(http.Response, workflow, number);
            return;
        }

        if (await engine.SummaryAsync(run.Ref.Id, job, ct) is not { } summary)
        {
            http.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }

        http.Response.ContentType = Markdown;
        await http.Response.WriteAsync(JsonText.StringOf(JsonElement.Parse(summary)), ct);
    }

    // Not a byte is sent before, so that the status can say the outcome.
    private static async Task WaitAsync(HttpContext http, BrokerEngine engine, RunRef run, TimeSpan limit, CancellationToken ct)
    {
        if (await engine.WaitForEndAsync(run, ct, limit) is { } view) await RunAnswer.OutcomeAsync(http, view);
        else if (engine.Stopping.IsCancellationRequested) await RunAnswer.StoppingAsync(http);
        else await JobsErrors.UnknownRunAsync(http.Response, run.InstanceId, run.Number);
    }

    /// <summary>Ends every active run that this dialect addresses by the id, or the one that is named, and no other.</summary>
    public static async Task CancelAsync(HttpContext http, BrokerEngine engine, string id, CancellationToken ct)
    {
        if (await RunRequests.RunOfAsync(http) is not (true, var number)) return;
        if (await JobsRequests.ReadAsync(http, engine.Settings, RunRequests.GraceOf, ct, isOptional: true) is not (true, var grace)) return;
        if (await ToCancelAsync(engine, id, number, ct) is not { } runs)
        {
            await (number is null ? JobsErrors.UnknownWorkflowAsync(http.Response, id) : JobsErrors.UnknownRunAsync(http.Response, id, number));
            return;
        }

        var cancelled = new List<CancelledRunDto>();
        foreach (var run in runs)
        {
            var (verdict, ended) = await engine.ControlAsync(run.Workflow, run.InstanceId, ControlCommand.Cancel, ct, number: number, grace: grace);
            if (verdict is ControlVerdict.Done) cancelled.Add(new(ended!.InstanceId, ended.Number));
        }

        await (RunRequests.AcceptsJson(http.Request)
            ? JsonAnswer.SendAsync(http.Response, StatusCodes.Status202Accepted, new CancelledRunsDto(cancelled), JobsJson.Default.CancelledRunsDto)
            : JobsErrors.EmptyAsync(http.Response, StatusCodes.Status202Accepted));
    }

    private static async Task<IReadOnlyList<RunRef>?> ToCancelAsync(BrokerEngine engine, string id, int? number, CancellationToken ct)
    {
        if (number is null) return await WorkflowLookup.RunsOfAsync(engine, id, ct);
        return await WorkflowLookup.FindRunAsync(engine, id, number, ct) is { } run ? [run.Ref] : null;
    }
}
