namespace Broker.Operators;

/// <summary>
/// The API for operators: one method for each route below <c>/api/v1</c>. Every method throws <see cref="OperatorException"/> where the route
/// answers with a problem.
/// </summary>
public interface IOperatorApi
{
    /// <summary>The caller and the broker.</summary>
    Task<Me> MeAsync(CancellationToken ct);

    /// <summary>Runs of all workflows that the caller may know.</summary>
    /// <param name="query">Choice, order and page.</param>
    /// <param name="ct">Gives up.</param>
    Task<Listing<RunSummary>> ListRunsAsync(RunQuery query, CancellationToken ct);

    /// <summary>Number of runs that fit.</summary>
    /// <param name="query">Choice of runs.</param>
    /// <param name="max">The count goes no further, 1 to 10,000.</param>
    /// <param name="ct">Gives up.</param>
    Task<RunCount> CountRunsAsync(RunQuery query, int max, CancellationToken ct);

    /// <summary>One run.</summary>
    Task<RunDetail> GetRunAsync(RunAddress run, CancellationToken ct);
}
