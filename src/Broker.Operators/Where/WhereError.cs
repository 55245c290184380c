namespace Broker.Operators.Where;

/// <summary>The first fault of an expression.</summary>
/// <param name="Column">Place of the fault: 1 is the first character.</param>
/// <param name="Message">The expectation at that place, for people.</param>
public sealed record WhereError(int Column, string Message)
{
    /// <summary>Message with its column.</summary>
    public override string ToString() => $"column {Column}: {Message}";
}
