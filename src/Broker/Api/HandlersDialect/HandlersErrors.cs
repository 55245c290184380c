using System.Text;
using System.Text.Json.Nodes;
using Broker.Http;

namespace Broker.Api.HandlersDialect;

/// <summary>Errors in the form of the mount, and the messages that clients compare (handlers contract 2).</summary>
internal static class HandlersErrors
{
    public const string TextType = "text/plain; charset=utf-8";
    public const string WorkflowNotFound = "Workflow not found";
    public const string HandlerNotFound = "Handler not found";
    public const string Cancelled = "Workflow was cancelled";

    /// <summary>The form of the mount, for the API document.</summary>
    public static ErrorForm FormOf(HandlersMount mount) => mount.ErrorsAsJson
        ? new(typeof(HandlersErrorDto), JsonAnswer.ContentType, static (_, message) => new JsonObject { ["detail"] = message })
        : new(typeof(string), "text/plain", static (_, message) => JsonValue.Create(message));

    public static Task ErrorAsync(HttpContext http, HandlersMount mount, int status, string message) =>
        mount.ErrorsAsJson ? DetailAsync(http.Response, status, message) : TextAsync(http.Response, status, message);

    public static Task NotFoundAsync(HttpContext http, HandlersMount mount, string message) =>
        ErrorAsync(http, mount, StatusCodes.Status404NotFound, message);

    public static Task InvalidAsync(HttpContext http, HandlersMount mount, string message) =>
        ErrorAsync(http, mount, StatusCodes.Status400BadRequest, message);

    /// <summary>Answers for a body that cannot be read; <paramref name="subject"/> starts the sentence, and <paramref name="status"/> is what the route's page lists.</summary>
    public static Task BodyErrorAsync(
        HttpContext http, HandlersMount mount, in JsonBody body, string subject, int status = StatusCodes.Status400BadRequest) => body.Fault switch
        {
            BodyFault.TooLarge => ErrorAsync(http, mount, StatusCodes.Status413PayloadTooLarge, $"{subject}: {body.Reason}"),
            BodyFault.TooDeep => InvalidAsync(http, mount, $"{subject}: {body.Reason}"),
            BodyFault.None => ErrorAsync(http, mount, status, $"{subject}: expected a JSON object"),
            BodyFault.Empty or BodyFault.NotJson =>
                ErrorAsync(http, mount, status, $"{(mount.ErrorsAsJson ? "Invalid JSON body" : subject)}: {body.Reason}"),
        };

    /// <summary>An answer with one member.</summary>
    public static Task StatusAsync(HttpResponse response, string word, int status = StatusCodes.Status200OK) =>
        JsonAnswer.SendAsync(response, status, new StatusDto(word), HandlersJson.Default.StatusDto);

    public static async Task TextAsync(HttpResponse response, int status, string message)
    {
        var bytes = Encoding.UTF8.GetBytes(message);
        response.StatusCode = status;
        response.ContentType = TextType;
        response.ContentLength = bytes.Length;
        await response.Body.WriteAsync(bytes);
    }

    // By way of bytes, as above: a lone surrogate that a client sent and the message quotes becomes U+FFFD, where the writer would throw.
    private static Task DetailAsync(HttpResponse response, int status, string message) => JsonAnswer.SendAsync(
        response, status, new HandlersErrorDto(Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(message))), HandlersJson.Default.HandlersErrorDto);
}
