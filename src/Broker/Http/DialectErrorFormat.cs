using System.Text.Json.Nodes;

namespace Broker.Http;

/// <summary>A dialect's form for faults and for refusals by other layers, such as a missing key or a limit.</summary>
internal sealed record DialectErrorFormat(Func<HttpContext, int, string, Task> WriteAsync)
{
    /// <summary>The form of a refusal that states its reason, where the dialect gives other refusals of that status a fixed text.</summary>
    public Func<HttpContext, int, string, Task> ExplainAsync { get; init; } = WriteAsync;

    /// <summary>The form as the API document shows it.</summary>
    public required ErrorForm Form { get; init; }

    public static Task SendAsync(HttpContext http, int status, string message, bool isExplained = false)
    {
        if (http.GetEndpoint()?.Metadata.GetMetadata<DialectErrorFormat>() is { } form) return (isExplained ? form.ExplainAsync : form.WriteAsync)(http, status, message);
        var paths = DialectPaths.Of(http.RequestServices);
        return paths.Has(http.Request.Path) ? paths.RefuseAsync(http, status, message) : ProblemAnswer.SendAsync(http, status, message);
    }
}

/// <summary>A dialect's error body.</summary>
/// <param name="Type">Type of the body.</param>
/// <param name="ContentType">Media type.</param>
/// <param name="Example">The body of a status and a message.</param>
internal sealed record ErrorForm(Type Type, string ContentType, Func<int, string, JsonNode> Example);

internal static class DialectErrorFormats
{
    public static RouteGroupBuilder RefusesWith(
        this RouteGroupBuilder group, ErrorForm form, Func<HttpContext, int, string, Task> writeAsync, Func<HttpContext, int, string, Task>? explainAsync = null) =>
        group.WithMetadata(new DialectErrorFormat(writeAsync) { Form = form, ExplainAsync = explainAsync ?? writeAsync });
}
