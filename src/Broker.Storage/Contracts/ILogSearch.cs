namespace Broker.Storage.Contracts;

/// <summary>Lines of one run.</summary>
/// <param name="RunId">The run.</param>
/// <param name="Step">Only of this step; null: all.</param>
/// <param name="Attempt">Only of the attempt with so many retries before it; null: all.</param>
/// <param name="Stream">stdout or stderr; null: both.</param>
/// <param name="Level">Only of this level; null: all.</param>
public sealed record LogFilter(long RunId, string? Step = null, int? Attempt = null, string? Stream = null, string? Level = null);

/// <param name="Rows">Lines in order of arrival.</param>
/// <param name="Next">Id of the last line that was examined; null at the end.</param>
/// <param name="IsCut">The search stopped at its bound.</param>
public sealed record LogPage(IReadOnlyList<LogRow> Rows, long? Next, bool IsCut);

/// <summary>Reads the log of a run. A read examines at most <see cref="Examined"/> lines.</summary>
public interface ILogSearch
{
    const int Examined = 20_000;

    /// <summary>Lines behind one, or before one (the newest of those), in order of arrival.</summary>
    /// <param name="filter">Lines to read.</param>
    /// <param name="from">Id of the line before the first, or behind the last; null: from the begin or the end of the log.</param>
    /// <param name="backward">The last lines, up to <paramref name="from"/>.</param>
    /// <param name="limit">At most that many.</param>
    /// <param name="ct">Gives up.</param>
    Task<LogPage> LinesAsync(LogFilter filter, long? from, bool backward, int limit, CancellationToken ct);

    /// <summary>Lines behind one whose text fits.</summary>
    Task<LogPage> FindAsync(LogFilter filter, Func<string, bool> fits, long? after, int limit, CancellationToken ct);
}
