using System.Text.Json;
using System.Text.Json.Nodes;
using Broker.Operators;
using Microsoft.AspNetCore.WebUtilities;

namespace Broker.Http;

/// <summary>Problem details (RFC 9457), each with a code of <see cref="ProblemCodes"/>: for the API for operators, and for paths without a dialect.</summary>
internal static class ProblemAnswer
{
    public const string ContentType = "application/problem+json";

    public static ErrorForm Form { get; } = new(typeof(OperatorProblem), ContentType, static (status, message) => ExampleOf(new(status, ProblemCodes.Of(status), message)));

    /// <summary>The body of a refusal, for the API document.</summary>
    public static JsonNode ExampleOf(OperatorException refused) => JsonSerializer.SerializeToNode(Of(refused, "0HNF5QKQ8J3LT:00000002"), OperatorJson.Default.OperatorProblem)!;

    public static Task SendAsync(HttpContext http, int status, string detail) => SendAsync(http, new OperatorException(status, ProblemCodes.Of(status), detail));

    public static Task SendAsync(HttpContext http, OperatorException refused) =>
        JsonAnswer.SendAsync(http.Response, refused.Status, Of(refused, http.TraceIdentifier), OperatorJson.Default.OperatorProblem, ContentType);

    private static OperatorProblem Of(OperatorException refused, string requestId) => new(
        ProblemCodes.TypeOf(refused.Code), ReasonPhrases.GetReasonPhrase(refused.Status), refused.Status, refused.Message, refused.Code, requestId,
        refused.Place, refused.Column, refused.RunStatus, refused.Errors);
}
