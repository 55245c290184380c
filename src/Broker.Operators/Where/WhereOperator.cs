namespace Broker.Operators.Where;

/// <summary>Comparison of a <c>where</c> term.</summary>
public enum WhereOperator
{
    /// <summary><c>=</c>: any of the values.</summary>
    Equal,

    /// <summary><c>!=</c>: none of the values.</summary>
    NotEqual,

    /// <summary><c>~</c>: contains the text; upper and lower case are the same.</summary>
    Contains,

    /// <summary><c>&lt;</c>: earlier, shorter or smaller.</summary>
    Less,

    /// <summary><c>&gt;</c>: later, longer or larger.</summary>
    Greater,
}
