using Broker.Core.Definitions;
using Broker.Core.Json;

namespace Broker.Api.JobsDialect;

/// <summary>Errors of this dialect: the status is what clients look at, the body is for people.</summary>
internal static class JobsErrors
{
    public static Task SendAsync(HttpResponse response, int status, string error, string? field = null) =>
        JsonAnswer.SendAsync(response, status, (error, field), static (json, said) =>
        {
            json.WriteStartObject();
            json.WriteString("error", said.error);
            if (said.field is not null) json.WriteString("field", said.field);
            json.WriteEndObject();
        });

    /// <summary>422: JSON of the wrong shape. The first problem is the headline, all are listed.</summary>
    public static Task WrongShapeAsync(HttpResponse response, IReadOnlyList<DefinitionProblem> problems) =>
        JsonAnswer.SendAsync(response, StatusCodes.Status422UnprocessableEntity, problems, static (json, problems) =>
        {
            json.WriteStartObject();
            json.WriteString("error", problems[0].ToString());
            json.WriteString("field", problems[0].Path);
            json.WriteStartArray("problems");
            foreach (var problem in problems)
            {
                json.WriteStartObject();
                json.WriteString("field", problem.Path);
                json.WriteString("message", problem.Message);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        });

    public static Task BadBodyAsync(HttpResponse response, JsonBody body) => body.Fault is BodyFault.TooLarge
        ? SendAsync(response, StatusCodes.Status413PayloadTooLarge, body.Reason)
        : SendAsync(response, StatusCodes.Status400BadRequest, body.Fault is BodyFault.NotJson ? $"the body is not JSON: {body.Reason}" : body.Reason);

    public static Task UnknownWorkflowAsync(HttpResponse response, string id) =>
        SendAsync(response, StatusCodes.Status404NotFound, $"there is no workflow '{StorableText.Fitting(id)}'");

    /// <summary>An answer without a body has no content type either.</summary>
    public static Task EmptyAsync(HttpResponse response, int status)
    {
        response.StatusCode = status;
        response.ContentLength = 0;
        return Task.CompletedTask;
    }
}
