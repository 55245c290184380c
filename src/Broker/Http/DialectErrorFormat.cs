namespace Broker.Http;

/// <summary>A dialect's form for faults and for refusals by other layers, such as a missing key or a limit.</summary>
internal sealed record DialectErrorFormat(Func<HttpContext, int, string, Task> WriteAsync)
{
    /// <summary>The form of a refusal that states its reason, where the dialect gives other refusals of that status a fixed text.</summary>
    public Func<HttpContext, int, string, Task> ExplainAsync { get; init; } = WriteAsync;

    public static Task SendAsync(HttpContext http, int status, string message, bool isExplained = false)
    {
        if (http.GetEndpoint()?.Metadata.GetMetadata<DialectErrorFormat>() is { } form) return (isExplained ? form.ExplainAsync : form.WriteAsync)(http, status, message);
        var paths = DialectPaths.Of(http.RequestServices);
        return paths.Has(http.Request.Path) ? paths.RefuseAsync(http, status, message) : ProblemAnswer.SendAsync(http, status, message);
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
