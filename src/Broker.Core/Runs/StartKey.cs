namespace Broker.Core.Runs;

/// <summary>
/// Key of a repeatable start: the same id and request again are answered with the run of the first time.
/// </summary>
/// <param name="Id">Name of the start, unique over callers, routes and their keys.</param>
/// <param name="Request">Digest of the request; another one under the same id is refused.</param>
public sealed record StartKey(string Id, string Request)
{
    /// <summary>Whether the answer "the current run has not ended" is kept too: on routes where it counts as success.</summary>
    public bool KeepsStanding { get; init; }
}
