namespace Broker.Operators;

/// <summary>A page of a list.</summary>
public abstract record PagedQuery
{
    /// <summary>The <c>next</c> or <c>prev</c> of another page; null begins the list.</summary>
    public string? Cursor { get; init; }

    /// <summary>Most items, 1 to 200.</summary>
    public int Limit { get; init; } = Limits.UsualPage;
}
