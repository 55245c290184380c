namespace Broker.Operators;

/// <summary>A place in a list: numbers, and a name where items have one.</summary>
internal sealed record ListPlace(string Name, params long[] Numbers)
{
    public ListPlace(params long[] numbers)
        : this("", numbers)
    {
    }
}

/// <summary>
/// A page of a list as its cursor asks for it. Pages are read from a place on, in the order of the list or against it, so <c>prev</c> costs what
/// <c>next</c> does.
/// </summary>
internal sealed class ListPage
{
    private readonly string list;

    private ListPage(string list, ListPlace? place, bool isBackward) => (this.list, Place, IsBackward) = (list, place, isBackward);

    /// <summary>The page is behind it, in the direction of the read; null: it is the first one of the list.</summary>
    public ListPlace? Place { get; }

    /// <summary>The items before the place are read, the nearest first.</summary>
    public bool IsBackward { get; }

    /// <param name="cursor">The caller's; null: the first page.</param>
    /// <param name="list">The list with its filter and order.</param>
    /// <param name="numbers">Numbers of a place.</param>
    /// <param name="isNamed">Places have names.</param>
    /// <exception cref="OperatorException">The cursor is of another list, or it is no cursor.</exception>
    public static ListPage Read(string? cursor, string list, int numbers, bool isNamed = false)
    {
        if (ListCursor.Read(cursor, list, numbers) is not var (direction, place)) return new(list, null, isBackward: false);
        if (place.Name.Length > 0 && !isNamed) throw ListCursor.Mismatch();
        return direction switch
        {
            ListDirection.Forward => new(list, place, isBackward: false),
            ListDirection.Backward => new(list, place, isBackward: true),
            ListDirection.Start => new(list, null, isBackward: false),
        };
    }

    /// <summary>The answer.</summary>
    /// <param name="read">Items as they were read: against the order of the list where <see cref="IsBackward"/>.</param>
    /// <param name="placeOf">Place of an item.</param>
    /// <param name="show">An item as it is shown.</param>
    /// <param name="onward">Place behind which the read goes on; null: there is no more.</param>
    /// <param name="asOf">The store's time.</param>
    /// <param name="isComplete">False: the read stopped at its bound.</param>
    public Listing<T> Of<TRow, T>(IReadOnlyList<TRow> read, Func<TRow, ListPlace> placeOf, Func<TRow, T> show, ListPlace? onward, DateTimeOffset asOf, bool isComplete = true)
    {
        var items = read.Select(show);
        if (!IsBackward)
        {
            return new([.. items], Cursor(ListDirection.Forward, onward), asOf, isComplete)
            {
                Prev = Place is null || read.Count == 0 ? null : Cursor(ListDirection.Backward, placeOf(read[0])),
            };
        }

        // Where nothing is left before the place, the list begins here.
        var next = read.Count > 0 ? Cursor(ListDirection.Forward, placeOf(read[0])) : onward is null ? ListCursor.Write(list, ListDirection.Start, Place!) : Cursor(ListDirection.Forward, onward);
        return new([.. items.Reverse()], next, asOf, isComplete) { Prev = Cursor(ListDirection.Backward, onward) };
    }

    /// <summary>The same, where the read says whether there is more behind its last item.</summary>
    public Listing<T> Of<TRow, T>(IReadOnlyList<TRow> read, Func<TRow, ListPlace> placeOf, Func<TRow, T> show, bool hasMore, DateTimeOffset asOf) =>
        Of(read, placeOf, show, hasMore ? placeOf(read[^1]) : null, asOf);

    private string? Cursor(ListDirection direction, ListPlace? place) => place is null ? null : ListCursor.Write(list, direction, place);
}

/// <summary>The page that a cursor asks for.</summary>
internal enum ListDirection : byte
{
    /// <summary>The items behind its place.</summary>
    Forward = 0,

    /// <summary>The items before its place.</summary>
    Backward = 1,

    /// <summary>The first page; its place does not count.</summary>
    Start = 2,
}
