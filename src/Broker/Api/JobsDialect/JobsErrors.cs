using System.Text.Json.Nodes;
using Broker.Core.Definitions;
using Broker.Core.Json;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Http;

namespace Broker.Api.JobsDialect;

/// <summary>Errors of this dialect: the status is what clients look at, the body is for people.</summary>
internal static class JobsErrors
{
    public static ErrorForm Form { get; } = new(typeof(JobsErrorDto), JsonAnswer.ContentType, static (_, message) => new JsonObject { ["error"] = message });

    public static Task SendAsync(HttpResponse response, int status, string error, string? field = null) =>
        JsonAnswer.SendAsync(response, status, new JobsErrorDto(error, field, null), JobsJson.Default.JobsErrorDto);

    /// <summary>422: JSON of the wrong shape. The first problem is the headline, all are listed.</summary>
    public static Task WrongShapeAsync(HttpResponse response, IReadOnlyList<DefinitionProblem> problems) => JsonAnswer.SendAsync(
        response,
        StatusCodes.Status422UnprocessableEntity,
        new JobsErrorDto(problems[0].ToString(), problems[0].Path, [.. problems.Select(problem => new JobsProblemDto(problem.Path, problem.Message))]),
        JobsJson.Default.JobsErrorDto);

    public static Task BadBodyAsync(HttpResponse response, JsonBody body) => body.Fault is BodyFault.TooLarge
        ? SendAsync(response, StatusCodes.Status413PayloadTooLarge, body.Reason)
        : SendAsync(response, StatusCodes.Status400BadRequest, body.Fault is BodyFault.NotJson ? $"the body is not JSON: {body.Reason}" : body.Reason);

    public static Task UnknownWorkflowAsync(HttpResponse response, string id) =>
        SendAsync(response, StatusCodes.Status404NotFound, $"there is no workflow '{StorableText.Fitting(id)}'");

    public static Task UnknownRunAsync(HttpResponse response, string id, int? number) => SendAsync(
        response,
        StatusCodes.Status404NotFound,
        number is { } given ? $"there is no run {given} of '{StorableText.Fitting(id)}'" : $"there is no run of '{StorableText.Fitting(id)}'",
        number is null ? null : "run");

    /// <summary>409: the active run has other inputs than the request, and a further one starts only when it has ended.</summary>
    public static Task OtherInputsAsync(HttpResponse response, StartOutcome outcome) => JsonAnswer.SendAsync(
        response,
        StatusCodes.Status409Conflict,
        new JobsErrorDto(
            $"run {outcome.Run!.Number} of the instance '{outcome.Run.InstanceId}' is active with other inputs: {string.Join(", ", outcome.Differences)}",
            "inputs",
            [.. outcome.Differences.Select(name => new JobsProblemDto($"inputs.{name}", "is another value in the active run"))]),
        JobsJson.Default.JobsErrorDto);

    /// <summary>409: the report counts no more.</summary>
    public static Task LostAsync(HttpResponse response, LeaseLoss loss) => JsonAnswer.SendAsync(
        response, StatusCodes.Status409Conflict, new JobsErrorDto(LostLease.Text(loss), null, null, LostLease.Code(loss)), JobsJson.Default.JobsErrorDto);

    /// <summary>An answer without a body has no content type either.</summary>
    public static Task EmptyAsync(HttpResponse response, int status)
    {
        response.StatusCode = status;
        response.ContentLength = 0;
        return Task.CompletedTask;
    }
}
