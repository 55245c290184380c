using System.Reflection;

namespace Broker.Api.HandlersDialect;

/// <summary>
/// One of the two places where the dialect is served, and all that differs between them (handlers contract 12). A client cannot be recognised
/// by its requests, so its base address says which generation it belongs to.
/// </summary>
/// <param name="Prefix">Path before every route.</param>
/// <param name="Name">Before operation names, which are unique in the document.</param>
/// <param name="ErrorsAsJson"><c>{"detail": message}</c> instead of the bare message; failed runs answer with their handler object.</param>
/// <param name="RunBodyErrorStatus">For a body that cannot be read, on the route that waits for the end of the run; the others answer 400.</param>
/// <param name="ResultsInEnvelope">Results in lists and of waited-for runs are events, not bare values.</param>
/// <param name="FollowsByDefault">A stream that names no position starts now, instead of draining the run's queue.</param>
/// <param name="ClientsChooseIds">A start may name a handler that does not exist, or did not succeed.</param>
/// <param name="BodyBeforeHandler">A posted event's body is judged before the handler is looked up.</param>
internal sealed record HandlersMount(
    string Prefix,
    string Name,
    bool ErrorsAsJson,
    int RunBodyErrorStatus,
    bool ResultsInEnvelope,
    bool FollowsByDefault,
    bool ClientsChooseIds,
    bool BodyBeforeHandler)
{
    /// <summary>The documented paths.</summary>
    public static HandlersMount Root { get; } = new(
        "", "", ErrorsAsJson: false, StatusCodes.Status500InternalServerError, ResultsInEnvelope: false, FollowsByDefault: false,
        ClientsChooseIds: false, BodyBeforeHandler: false);

    /// <summary>For clients of the newest generation.</summary>
    public static HandlersMount Current { get; } = new(
        "/agents", "Current", ErrorsAsJson: true, StatusCodes.Status400BadRequest, ResultsInEnvelope: true, FollowsByDefault: true,
        ClientsChooseIds: true, BodyBeforeHandler: true);

    /// <summary>The mount that the request came in by.</summary>
    public static ValueTask<HandlersMount> BindAsync(HttpContext http, ParameterInfo parameter) =>
        ValueTask.FromResult(http.GetEndpoint()!.Metadata.GetRequiredMetadata<HandlersMount>());
}
