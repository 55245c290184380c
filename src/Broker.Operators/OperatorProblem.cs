namespace Broker.Operators;

/// <summary>Problem details (RFC 9457) of a refused request.</summary>
/// <param name="Type">URI of the kind of problem: <c>urn:broker:problem:</c> and the code.</param>
/// <param name="Title">The status in words.</param>
/// <param name="Status">HTTP status.</param>
/// <param name="Detail">The fault and the expectation, for people.</param>
/// <param name="Code">Stable word of the kind of problem, for programs.</param>
/// <param name="RequestId">Id of the request, as in the broker's log.</param>
/// <param name="Place">Where the fault is: <c>query.limit</c>, or a JSON pointer into the body.</param>
/// <param name="Column">Place in a <c>where</c> expression: 1 is the first character.</param>
/// <param name="RunStatus">Status of the run, where it is the reason.</param>
/// <param name="Errors">Every fault, where there may be several.</param>
public sealed record OperatorProblem(
    string Type, string Title, int Status, string Detail, [property: ProblemWords] string Code, string? RequestId = null, string? Place = null, int? Column = null,
    [property: RunStatusWords] string? RunStatus = null, IReadOnlyList<OperatorFault>? Errors = null);

/// <summary>One fault of a request.</summary>
/// <param name="Place">JSON pointer into the body.</param>
/// <param name="Message">The expectation at that place.</param>
public sealed record OperatorFault(string Place, string Message);
