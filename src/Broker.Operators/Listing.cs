using System.Text.Json.Serialization;

namespace Broker.Operators;

/// <summary>One page of a list.</summary>
/// <typeparam name="T">Type of an item.</typeparam>
/// <param name="Items">At most <c>limit</c> items.</param>
/// <param name="Next">Cursor of the next page; null when this is the last one.</param>
/// <param name="AsOf">The store's time at which the page was read.</param>
/// <param name="Complete">False: the search stopped at its bound of examined rows. Go on with <c>next</c>, or with <c>prev</c> when the cursor was one.</param>
/// <param name="SearchedTo">With <c>complete: false</c>: creation of the last run that was examined.</param>
public sealed record Listing<T>(
    IReadOnlyList<T> Items,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Next,
    DateTimeOffset AsOf,
    bool Complete = true,
    DateTimeOffset? SearchedTo = null)
{
    /// <summary>Cursor of the page before; null on the first page.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? Prev { get; init; }
}
