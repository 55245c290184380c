using System.Globalization;

namespace Broker.Core.Schedules;

/// <summary>Instance ids of runs that a schedule starts.</summary>
public static class FiringId
{
    /// <summary>The id of an instant, such as <c>nightly-20260329T010000Z</c>: a second start of the same instant finds the first one (invariant 31).</summary>
    public static string Of(string schedule, DateTimeOffset instant) =>
        schedule + instant.UtcDateTime.ToString(instant.Millisecond == 0 ? "'-'yyyyMMdd'T'HHmmss'Z'" : "'-'yyyyMMdd'T'HHmmssfff'Z'", CultureInfo.InvariantCulture);
}
