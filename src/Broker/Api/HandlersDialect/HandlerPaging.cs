using System.Globalization;
using Broker.Core.Runs;
using Broker.Storage.Contracts;

namespace Broker.Api.HandlersDialect;

/// <summary>The part of the list of handlers that a client asks for. The documented list has no pages: without either parameter it is whole.</summary>
internal readonly record struct HandlerPaging(bool IsAsked, int Limit, RunPlace? After)
{
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1000;

    /// <summary>With a message when a parameter cannot be read.</summary>
    public static (HandlerPaging Paging, string? Problem) Read(string? limit, string? cursor)
    {
        if (string.IsNullOrEmpty(limit) && string.IsNullOrEmpty(cursor)) return (new(false, int.MaxValue, null), null);
        var most = DefaultLimit;
        if (!string.IsNullOrEmpty(limit)
            && (!int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out most) || most is < 1 or > MaxLimit))
        {
            return (default, $"Invalid limit: '{limit}', expected an integer from 1 to {MaxLimit}");
        }

        if (string.IsNullOrEmpty(cursor)) return (new(true, most, null), null);
        return TryPlace(cursor, out var after)
            ? (new(true, most, after), null)
            : (default, $"Invalid cursor: '{cursor}', expected the cursor of the page before");
    }

    public static string CursorAfter(RunView run) =>
        string.Create(CultureInfo.InvariantCulture, $"{run.QueuedAt.UtcTicks:x}-{run.Ref.Id:x}");

    private static bool TryPlace(string cursor, out RunPlace place)
    {
        place = default;
        var dash = cursor.IndexOf('-', StringComparison.Ordinal);
        if (dash < 0
            || !long.TryParse(cursor.AsSpan(0, dash), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var ticks)
            || !long.TryParse(cursor.AsSpan(dash + 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var id)
            || ticks < DateTimeOffset.UnixEpoch.UtcTicks || ticks > DateTimeOffset.MaxValue.UtcTicks || id < 0)
        {
            return false;
        }

        place = new(new DateTimeOffset(ticks, TimeSpan.Zero), id);
        return true;
    }
}
