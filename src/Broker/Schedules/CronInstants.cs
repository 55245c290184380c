using Broker.Core.Schedules;
using Cronos;

namespace Broker.Schedules;

/// <summary>
/// Instants of cron expressions in a time zone. A fixed time in the gap of a clock change comes once, right after it; in the repeated hour it comes once, the
/// first time. Steps and ranges go through both.
/// </summary>
internal sealed class CronInstants(IReadOnlyList<CronExpression> expressions, TimeZoneInfo zone) : IInstants
{
    public DateTimeOffset? After(DateTimeOffset instant)
    {
        DateTimeOffset? first = null;
        foreach (var expression in expressions)
        {
            if (expression.GetNextOccurrence(instant, zone)?.ToUniversalTime() is { } next && !(next >= first)) first = next;
        }

        return first;
    }
}

/// <summary>Makes the instants of rules.</summary>
internal static class RuleInstants
{
    /// <param name="rule">The rule.</param>
    /// <param name="seed">Name of the schedule: chooses each H.</param>
    /// <param name="refusal">Why there are none.</param>
    public static IInstants? Of(ScheduleRule rule, string seed, out string? refusal)
    {
        refusal = null;
        if (rule.EveryMs is { } every) return Bounded(rule, new IntervalInstants(TimeSpan.FromMilliseconds(every), rule.StartsAt ?? DateTimeOffset.UnixEpoch));
        if (!TimeZoneInfo.TryFindSystemTimeZoneById(rule.Zone, out var zone) || !zone.HasIanaId)
        {
            refusal = $"the time zone '{rule.Zone}' is not known here; expected an IANA name such as Europe/Berlin";
            return null;
        }

        var expressions = new List<CronExpression>();
        foreach (var cron in rule.Crons)
        {
            if (!CronExpression.TryParse(CronText.Of(cron, seed), out var expression))
            {
                refusal = $"the cron expression '{cron}' cannot be read";
                return null;
            }

            expressions.Add(expression);
        }

        return Bounded(rule, new CronInstants(expressions, zone));
    }

    private static BoundedInstants Bounded(ScheduleRule rule, IInstants all) => new(all, rule.StartsAt, rule.EndsAt);
}
