namespace Broker.Http;

/// <summary>
/// Number of rows to read next, so that pages have about the same weight. A row may be a word or megabytes, and each slow client holds a
/// page.
/// </summary>
internal sealed class PageWeight
{
    /// <summary>Characters that a page should hold.</summary>
    public const int Characters = 64 * 1024;

    private const int FirstPage = 4;
    private const int LargestPage = 256;

    /// <summary>Rows to read next.</summary>
    public int Rows { get; private set; } = FirstPage;

    /// <summary>Takes what was read into account; true when that was all there is.</summary>
    public bool Saw(int rows, long characters)
    {
        var atEnd = rows < Rows;
        if (characters > Characters) Rows = Math.Max(1, Rows / 2);
        else if (!atEnd && characters < Characters / 2) Rows = Math.Min(LargestPage, Rows * 2);
        return atEnd;
    }
}
