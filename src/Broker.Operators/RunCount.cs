namespace Broker.Operators;

/// <summary>Number of runs that fit.</summary>
/// <param name="Count">The number, at most <c>max</c>.</param>
/// <param name="Capped">There are more than <c>count</c>.</param>
/// <param name="Complete">False: the count stopped at its bound of examined rows, at <c>searched_to</c>.</param>
/// <param name="SearchedTo">Creation of the last run that was examined.</param>
/// <param name="AsOf">The store's time of the count.</param>
/// <param name="Groups">With <c>group</c>: counted runs by status, workflow or name of the error, the largest group first; at most 200.</param>
public sealed record RunCount(int Count, bool Capped, bool Complete, DateTimeOffset? SearchedTo, DateTimeOffset AsOf, IReadOnlyList<KeyCount>? Groups = null);
