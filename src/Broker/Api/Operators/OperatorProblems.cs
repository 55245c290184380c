using Broker.Http;
using Broker.Operators;
using Microsoft.AspNetCore.WebUtilities;

namespace Broker.Api.Operators;

/// <summary>Problems of this API: RFC 9457 with a code.</summary>
internal static class OperatorProblems
{
    public const string ContentType = "application/problem+json";

    private const string TypePrefix = "urn:broker:problem:";

    /// <summary>Refusals by other layers: keys, limits, faults.</summary>
    public static Task SendAsync(HttpContext http, int status, string message) => SendAsync(http, new OperatorException(status, CodeOf(status), message));

    public static async Task SendAsync(HttpContext http, OperatorException refused)
    {
        var problem = new OperatorProblem(
            TypePrefix + refused.Code, ReasonPhrases.GetReasonPhrase(refused.Status), refused.Status, refused.Message, refused.Code, http.TraceIdentifier,
            refused.Place, refused.Column, refused.RunStatus, refused.Errors);
        await JsonAnswer.SendAsync(http.Response, refused.Status, problem, OperatorJson.Default.OperatorProblem, ContentType);
    }

    private static string CodeOf(int status) => status switch
    {
        401 => "unauthorized",
        403 => "forbidden",
        404 => "not_found",
        408 => "timeout",
        409 => "conflict",
        413 => "too_large",
        415 => "unsupported_media_type",
        429 => "too_many_requests",
        500 => "internal_error",
        503 => "unavailable",
        _ => "bad_request",
    };
}
