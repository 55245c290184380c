namespace Broker.Operators;

/// <summary>
/// A request that the broker refused. An exception, since one signature serves the broker itself and clients that reach it by HTTP.
/// </summary>
public sealed class OperatorException : Exception
{
    /// <param name="status">HTTP status.</param>
    /// <param name="code">Stable word of the kind of problem.</param>
    /// <param name="detail">The fault and the expectation, for people.</param>
    /// <param name="place">Where the fault is.</param>
    public OperatorException(int status, string code, string detail, string? place = null)
        : base(detail) => (Status, Code, Place) = (status, code, place);

    /// <summary>HTTP status.</summary>
    public int Status { get; }

    /// <summary>Stable word of the kind of problem, such as <c>not_found</c>: one of <see cref="ProblemCodes"/>.</summary>
    public string Code { get; }

    /// <summary>Where the fault is: <c>query.limit</c>, or a JSON pointer into the body; null for the whole request.</summary>
    public string? Place { get; }

    /// <summary>Place in a <c>where</c> expression: 1 is the first character.</summary>
    public int? Column { get; init; }

    /// <summary>Status of the run, where it is the reason.</summary>
    public string? RunStatus { get; init; }

    /// <summary>Every fault, where there may be several.</summary>
    public IReadOnlyList<OperatorFault>? Errors { get; init; }

    /// <summary>Time after which the request may be sent again, where the answer named one; in seconds on the wire.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>404: no such thing, or the key may not know it.</summary>
    public static OperatorException NotFound(string detail) => new(404, "not_found", detail);

    /// <summary>400: a parameter of the query has a value that it does not take.</summary>
    public static OperatorException BadParameter(string name, string expected) => new(400, "invalid_parameter", $"{name}: {expected}", $"query.{name}");
}
