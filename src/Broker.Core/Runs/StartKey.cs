namespace Broker.Core.Runs;

/// <summary>
/// Makes a start repeatable: sent again with the same id and the same request, it answers with the run that it started the first time.
/// </summary>
/// <param name="Id">Names the start: whatever tells callers, routes and their keys apart.</param>
/// <param name="Request">Digest of what was asked for; another one under the same id is refused.</param>
public sealed record StartKey(string Id, string Request)
{
    /// <summary>Also "the current run has not ended" is an answer to keep: where that counts as success.</summary>
    public bool KeepsStanding { get; init; }
}
