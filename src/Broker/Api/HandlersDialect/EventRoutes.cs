using System.Text.Json;
using Broker.Auth;
using Broker.Core.Definitions;
using Broker.Core.Json;
using Broker.Core.Runs;
using Broker.Engine;
using Broker.Http;
using Broker.Operations.Metrics;
using Microsoft.AspNetCore.Mvc;

namespace Broker.Api.HandlersDialect;

/// <summary>Query parameters of a stream.</summary>
internal readonly record struct EventStreamQuery(
    [property: FromQuery(Name = "sse")] string? Sse,
    [property: FromQuery(Name = "include_internal")] string? IncludeInternal,
    [property: FromQuery(Name = "include_qualified_name")] string? IncludeQualifiedName,
    [property: FromQuery(Name = "acquire_timeout")] string? AcquireTimeout,
    [property: FromQuery(Name = "after_sequence")] string? AfterSequence);

/// <summary>Reading a run's events and sending it some (handlers contract 6, 10).</summary>
internal static class EventRoutes
{
    private const string NotAnObject = "Failed to deserialize event. Must be a json object, or stringified json object";

    public static async Task StreamAsync(
        HttpContext http, HandlersMount mount, BrokerEngine engine, [FromRoute(Name = "handler_id")] string handlerId, [AsParameters] EventStreamQuery query)
    {
        var (request, problem) = EventStreamRequest.Read(http.Request, mount, query);
        if (request is null)
        {
            await HandlersErrors.InvalidAsync(http, mount, problem);
            return;
        }

        // An event that the queue's reader is sent is gone for every other one.
        if (request.Mode is StreamMode.Queue && await KeylessGate.RefusedAsync(http)) return;
        if (await HandlerRoutes.FindAsync(engine, handlerId, http.RequestAborted) is not { } run)
        {
            await HandlersErrors.NotFoundAsync(http, mount, HandlersErrors.HandlerNotFound);
            return;
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, engine.Stopping);
        using var seat = HostMetrics.Stream(HostMetrics.EventStreams);
        try
        {
            var verdict = request.Mode is StreamMode.Queue ? await QueueStream.SendAsync(http, engine, run, request, stop.Token)
                : await CursorStream.SendAsync(http, engine, run, request, stop.Token) ? QueueVerdict.Streamed
                : QueueVerdict.Drained;
            if (verdict is QueueVerdict.Drained)
            {
                http.Response.StatusCode = StatusCodes.Status204NoContent;
            }
            else if (verdict is QueueVerdict.Locked)
            {
                await HandlersErrors.ErrorAsync(
                    http, mount, StatusCodes.Status409Conflict, $"No lock available to acquire after {QueryText.Decimal(request.AcquireTimeout)}s timeout");
            }
        }
        catch (Exception cut) when (cut is OperationCanceledException || (cut is IOException && http.RequestAborted.IsCancellationRequested))
        {
            // The client has gone, the host stops or the lock is lost. A stream that is cut short must not look like one that has ended.
            http.Abort();
        }
    }

    public static async Task SendAsync(HttpContext http, HandlersMount mount, BrokerEngine engine, [FromRoute(Name = "handler_id")] string handlerId)
    {
        var ct = http.RequestAborted;
        using var body = await JsonBody.ReadAsync(http.Request, engine.Settings, ct);
        var run = await HandlerRoutes.FindAsync(engine, handlerId, ct);
        var (eventId, idProblem) = IdOf(body);
        if (!mount.BodyBeforeHandler && await RefusedAsync(http, mount, run, eventId)) return;
        if (body.Fault is not BodyFault.None || body.Root.ValueKind is not JsonValueKind.Object)
        {
            await HandlersErrors.BodyErrorAsync(http, mount, body, "Error processing request");
            return;
        }

        if (!body.Root.TryMember("event", out var sent) || IsNothing(sent))
        {
            await HandlersErrors.InvalidAsync(http, mount, "Event data is required");
            return;
        }

        if (idProblem is not null)
        {
            await HandlersErrors.InvalidAsync(http, mount, idProblem);
            return;
        }

        if (mount.BodyBeforeHandler && await RefusedAsync(http, mount, run, eventId)) return;
        var reading = ReadEvent(sent, run!.Definition.Events);
        var (step, stepProblem) = reading.Problem is null ? StepOf(body.Root, run.Definition, reading.Event!.Name) : (null, null);
        if (reading.Problem is not null || stepProblem is not null)
        {
            await HandlersErrors.InvalidAsync(http, mount, stepProblem ?? (reading.IsValueProblem ? $"Failed to deserialize event: {reading.Problem}" : reading.Problem!));
            return;
        }

        var (verdict, _) = await engine.SendAsync(
            run.Ref.Workflow, run.Ref.InstanceId, reading.Event!.Name, reading.FieldsJson, step, Delivery.AllWaiting, ct, eventId);
        await (verdict switch
        {
            SendVerdict.Delivered or SendVerdict.Kept => HandlersErrors.StatusAsync(http.Response, "sent"),
            SendVerdict.RunTerminal => CompletedAsync(http, mount),
            SendVerdict.UnknownRun => HandlersErrors.NotFoundAsync(http, mount, HandlersErrors.HandlerNotFound),
        });
    }

    // Of a run that has ended the engine knows whether it had taken the event before.
    private static async Task<bool> RefusedAsync(HttpContext http, HandlersMount mount, RunView? run, string? eventId)
    {
        if (run is { IsTerminal: false } || (run is not null && eventId is not null)) return false;
        await (run is null ? HandlersErrors.NotFoundAsync(http, mount, HandlersErrors.HandlerNotFound) : CompletedAsync(http, mount));
        return true;
    }

    private static Task CompletedAsync(HttpContext http, HandlersMount mount) =>
        HandlersErrors.ErrorAsync(http, mount, StatusCodes.Status409Conflict, "Workflow already completed");

    /// <summary>An extension: the sender's id of the event.</summary>
    private static (string? Id, string? Problem) IdOf(in JsonBody body)
    {
        if (body.Fault is not BodyFault.None || body.Root.ValueKind is not JsonValueKind.Object || !body.Root.TryMember("id", out var given)
            || given.ValueKind is JsonValueKind.Null)
        {
            return (null, null);
        }

        if (given.ValueKind is JsonValueKind.String && EventIds.Fits(JsonText.StringOf(given))) return (JsonText.StringOf(given), null);
        return (null, $"Failed to send event: id: {EventIds.Expected}");
    }

    private static bool IsNothing(JsonElement sent) => sent.ValueKind switch
    {
        JsonValueKind.Object => !sent.EnumerateObject().Any(),
        JsonValueKind.Array => sent.GetArrayLength() == 0,
        JsonValueKind.String => JsonText.StringOf(sent).Length == 0,
        JsonValueKind.Null or JsonValueKind.Undefined => true,
        _ => false,
    };

    private static EventReading ReadEvent(JsonElement sent, EventCatalog events)
    {
        var envelope = sent.ValueKind is JsonValueKind.String ? RawJson.ParseObject(JsonText.StringOf(sent)) : sent;
        if (envelope is not { ValueKind: JsonValueKind.Object } given) return EventReading.Unnamed(NotAnObject);

        var reading = EventEnvelope.Read(given, events);
        if (reading.Problem is not null) return reading;
        return reading.Event!.Errors(reading.FieldsJson, allowsMore: true) is { Count: > 0 } errors ? EventReading.BadValue(string.Join("; ", errors)) : reading;
    }

    private static (string? Step, string? Problem) StepOf(JsonElement body, WorkflowDefinition definition, string type)
    {
        if (!body.TryMember("step", out var given) || given.ValueKind is JsonValueKind.Null) return (null, null);
        if (given.ValueKind is not JsonValueKind.String) return (null, "Failed to send event: step must be a string");
        var name = JsonText.StringOf(given);
        if (name.Length == 0) return (null, null);
        if (definition.Find(name) is not { } step) return (null, $"Failed to send event: Step {name} does not exist");
        return step.Wants(type)
            ? (name, null)
            : (null, $"Failed to send event: Step {name} does not accept event of type {type}");
    }
}
