using Broker.Core.Definitions;
using Broker.Core.Json;
using Broker.Core.Runs;
using Broker.Engine;
using Broker.Http;
using Broker.Operations.Tracing;

namespace Broker.Api.HandlersDialect;

/// <summary>Starting workflows (handlers contract 5).</summary>
internal static class RunRoutes
{
    private const string BodySubject = "Error processing request body";

    /// <summary>Starts and waits for the end. A client that goes away leaves the run alone.</summary>
    public static async Task RunAsync(HttpContext http, HandlersMount mount, BrokerEngine engine, string name)
    {
        if (await StartAsync(http, mount, engine, name, "run", mount.RunBodyErrorStatus) is not { Run: { } started }) return;
        RunView? run;
        try
        {
            run = await engine.WaitForEndAsync(started, http.RequestAborted);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            return;
        }

        await (run switch
        {
            null when engine.Stopping.IsCancellationRequested => HandlersErrors.ErrorAsync(
                http, mount, StatusCodes.Status503ServiceUnavailable, $"The server is stopping; handler {started.InstanceId} goes on"),
            null => HandlersErrors.ErrorAsync(http, mount, StatusCodes.Status500InternalServerError, $"Error running workflow: {HandlersErrors.Cancelled}"),
            { Status: RunStatus.Succeeded } => HandlersAnswers.SendAsync(
                http.Response, StatusCodes.Status200OK, run, mount.ResultsInEnvelope ? ResultForm.Envelope : ResultForm.Raw),
            _ => HandlerRoutes.UnsuccessfulAsync(http, mount, run, "Error running workflow", ResultForm.Envelope),
        });
    }

    /// <summary>Starts, and answers with the handler as it was at that moment.</summary>
    public static async Task RunNowaitAsync(HttpContext http, HandlersMount mount, BrokerEngine engine, string name)
    {
        if (await StartAsync(http, mount, engine, name, "run-nowait", StatusCodes.Status400BadRequest) is not { } started) return;
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, started, static (json, started) => HandlersAnswers.WriteStarted(json, started.Run!, started.At));
    }

    /// <summary>Starts, or answers why not and returns null.</summary>
    private static async Task<StartOutcome?> StartAsync(HttpContext http, HandlersMount mount, BrokerEngine engine, string name, string route, int bodyErrorStatus)
    {
        if (!StorableText.Fits(name) || await engine.StartableAsync(name, http.RequestAborted) is not { } definition)
        {
            await HandlersErrors.NotFoundAsync(http, mount, HandlersErrors.WorkflowNotFound);
            return null;
        }

        using var body = await JsonBody.ReadAsync(http.Request, engine.Settings, http.RequestAborted);
        var root = body.Fault is BodyFault.None ? body.Root : HandlersRequests.Nothing;
        if (body.Fault is not (BodyFault.None or BodyFault.Empty) || root.ValueKind is not System.Text.Json.JsonValueKind.Object)
        {
            await HandlersErrors.BodyErrorAsync(http, mount, body, BodySubject, bodyErrorStatus);
            return null;
        }

        var request = HandlersRequests.Read(root, definition.Events);
        if (request.Problem is not null)
        {
            await HandlersErrors.InvalidAsync(http, mount, request.Problem);
            return null;
        }

        if (!Idempotency.TryRead(http, route, name, root, out var key))
        {
            await HandlersErrors.InvalidAsync(http, mount, Idempotency.Malformed);
            return null;
        }

        var start = StartOf(mount, definition, request);
        var outcome = start is null
            ? new StartOutcome(StartVerdict.NotContinuable, null, engine.Now)
            : await engine.StartAsync(request.Options.Of(start) with { InputsJson = request.InputsJson, StartEvent = request.StartEvent, Streams = true, TraceParent = TraceParents.Of(http), Key = key }, http.RequestAborted);
        Idempotency.Mark(http.Response, outcome);
        switch (outcome.Verdict)
        {
            case StartVerdict.Started:
                return outcome;
            case StartVerdict.InputsRefused:
                await HandlersErrors.InvalidAsync(http, mount, StartEventReader.ProblemOf(string.Join("; ", outcome.Problems)));
                return null;
            case StartVerdict.KeyReused:
                await HandlersErrors.ErrorAsync(http, mount, StatusCodes.Status422UnprocessableEntity, StartRefusal.KeyReused);
                return null;
            case StartVerdict.StartsPaused:
                await HandlersErrors.ErrorAsync(http, mount, StatusCodes.Status409Conflict, engine.StartsPaused(name));
                return null;
            case StartVerdict.BacklogFull:
                await HandlersErrors.ErrorAsync(
                    http, mount, StatusCodes.Status429TooManyRequests, StartRefusal.BacklogFull(http, name, engine.Settings.Limits.Backlog));
                return null;
            case StartVerdict.NotContinuable when request.ContextJson is not null || mount.ClientsChooseIds:
                await HandlersErrors.InvalidAsync(http, mount, $"Validation error for 'handler_id': {HandlerIds.Expected}");
                return null;
            case StartVerdict.AlreadyExists or StartVerdict.StillActive when mount.ClientsChooseIds:
                await HandlersErrors.ErrorAsync(http, mount, StatusCodes.Status409Conflict, $"Handler {request.HandlerId} is still running");
                return null;
            case StartVerdict.AlreadyExists or StartVerdict.StillActive or StartVerdict.NotContinuable or StartVerdict.OtherInputs:
            default:
                await HandlersErrors.NotFoundAsync(http, mount, HandlersErrors.HandlerNotFound);
                return null;
        }
    }

    // Handlers contract 5.4: what a handler id means. Null: no text that could name a handler.
    private static StartRequest? StartOf(HandlersMount mount, WorkflowDefinition definition, RunRequest request)
    {
        if (request.HandlerId is not { } id) return new(definition, BrokerEngine.NewInstanceId()) { ContextJson = request.ContextJson };
        if (!StorableText.Fits(id)) return null;
        if (request.ContextJson is null && !mount.ClientsChooseIds) return new(definition, id) { Mode = StartMode.Continue };
        return new(definition, id)
        {
            Mode = StartMode.NextRun,
            ContextJson = request.ContextJson,
            InheritsContext = true,
            MustExist = !HandlerIds.MayBeChosen(id),
        };
    }
}
