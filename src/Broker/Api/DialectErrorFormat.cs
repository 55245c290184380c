using Broker.Api.HandlersDialect;
using Broker.Operations;

namespace Broker.Api;

/// <summary>On a group of routes: the form in which its dialect says what is refused before it has a say, such as a missing key or a limit, and what failed.</summary>
internal sealed record DialectErrorFormat(Func<HttpContext, int, string, Task> WriteAsync)
{
    /// <summary>The form of a refusal that tells its reason, where the dialect gives other refusals of that status a fixed text.</summary>
    public Func<HttpContext, int, string, Task> ExplainAsync { get; init; } = WriteAsync;

    public static Task SendAsync(HttpContext http, int status, string message, bool isExplained = false)
    {
        if (http.GetEndpoint()?.Metadata.GetMetadata<DialectErrorFormat>() is { } form) return (isExplained ? form.ExplainAsync : form.WriteAsync)(http, status, message);
        return HandlersPaths.Has(http.Request.Path) ? HandlersAnswer.TextAsync(http.Response, status, message) : ProblemAnswer.SendAsync(http, status, message);
    }
}

internal static class DialectErrorFormats
{
    public static RouteGroupBuilder RefusesWith(this RouteGroupBuilder group, Func<HttpContext, int, string, Task> writeAsync) =>
        group.WithMetadata(new DialectErrorFormat(writeAsync));

    public static RouteGroupBuilder RefusesWith(
        this RouteGroupBuilder group, Func<HttpContext, int, string, Task> writeAsync, Func<HttpContext, int, string, Task> explainAsync) =>
        group.WithMetadata(new DialectErrorFormat(writeAsync) { ExplainAsync = explainAsync });
}
