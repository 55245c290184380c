using Broker.Auth;
using Broker.Engine;
using Broker.Http;
using Broker.Operators;

namespace Broker.Api.Operators;

/// <summary>Orders about single steps, given by hand.</summary>
internal static class HandRoutes
{
    public static void MapHands(this RouteGroupBuilder api)
    {
        var step = api.MapGroup("/runs/{workflow}/{instance}/steps/{step}");
        step.MapPost("/complete", CompleteAsync).WithName("CompleteStep").WithSummary("Complete a step by hand, with its result")
            .WithDescription("The step succeeds with `value`, checked by the event's schema for a wait. Steps below get it.").ByHand<StepCompletion>();
        step.MapPost("/fail", FailAsync).WithName("FailStep").WithSummary("Fail a step by hand, for good")
            .WithDescription("No retry follows. Steps that need it are not reached.").ByHand<StepFailing>();
        step.MapPost("/skip", SkipAsync).WithName("SkipStep").WithSummary("Skip a step by hand, as its worker could")
            .WithDescription("The steps below go on as after a step that its worker skipped.").ByHand<StepCommand>();
        step.MapPost("/retry-now", RetryNowAsync).WithName("RetryStepNow").WithSummary("Drop the rest of a step's delay")
            .WithDescription("For a ready step that waits for its next attempt, or that was put off. It is claimable at once, but not before the start time of its run.").ByHand<StepCommand>();
        step.MapPost("/release", ReleaseAsync).WithName("ReleaseStepByHand").WithSummary("Take a step from the worker that holds it")
            .WithDescription("The step is ready at its old place, charged nothing.").ByHand<StepCommand>();
    }

    // Of a step that is ready, leased or waiting. Reports of the worker that holds it change nothing afterwards.
    private static void ByHand<T>(this RouteHandlerBuilder route)
        where T : notnull => route.TakesJson<T>(isOptional: false).Answers<StepDetail>().Refuses(400, 404, 409, 413, 422).Takes(PageParameters.Run).RequireScope(Scope.Manage).ByWorkflow();

    private static async Task CompleteAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, string workflow, string instance, string step, CancellationToken ct)
    {
        var body = await OperatorBody.ReadAsync(http, engine, OperatorJson.Default.StepCompletion, isOptional: false, ct);
        await SendAsync(http, await api.CompleteStepAsync(RunRoutes.AddressOf(http, workflow, instance), step, body, ct));
    }

    private static async Task FailAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, string workflow, string instance, string step, CancellationToken ct)
    {
        var body = await OperatorBody.ReadAsync(http, engine, OperatorJson.Default.StepFailing, isOptional: false, ct);
        await SendAsync(http, await api.FailStepAsync(RunRoutes.AddressOf(http, workflow, instance), step, body, ct));
    }

    private static Task SkipAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, string workflow, string instance, string step, CancellationToken ct) =>
        OrderAsync(http, engine, workflow, instance, step, api.SkipStepAsync, ct);

    private static Task RetryNowAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, string workflow, string instance, string step, CancellationToken ct) =>
        OrderAsync(http, engine, workflow, instance, step, api.RetryStepNowAsync, ct);

    private static Task ReleaseAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, string workflow, string instance, string step, CancellationToken ct) =>
        OrderAsync(http, engine, workflow, instance, step, api.ReleaseStepAsync, ct);

    private static async Task OrderAsync(
        HttpContext http, BrokerEngine engine, string workflow, string instance, string step, Func<RunAddress, string, StepCommand, CancellationToken, Task<StepDetail>> order, CancellationToken ct)
    {
        var body = await OperatorBody.ReadAsync(http, engine, OperatorJson.Default.StepCommand, isOptional: false, ct);
        await SendAsync(http, await order(RunRoutes.AddressOf(http, workflow, instance), step, body, ct));
    }

    private static Task SendAsync(HttpContext http, StepDetail step) => JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, step, OperatorJson.Default.StepDetail);
}
