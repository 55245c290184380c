namespace Broker.Core.Schedules;

/// <summary>The nominal instants of a schedule.</summary>
public interface IInstants
{
    /// <summary>The first one after an instant; null when there is none.</summary>
    DateTimeOffset? After(DateTimeOffset instant);
}

/// <summary>Instants of a fixed interval, counted from an instant of their own: a late round moves none of them.</summary>
public sealed class IntervalInstants(TimeSpan every, DateTimeOffset anchor) : IInstants
{
    public DateTimeOffset? After(DateTimeOffset instant)
    {
        var passed = (instant - anchor).Ticks;
        var number = passed >= 0 ? passed / every.Ticks : ((passed + 1) / every.Ticks) - 1;
        var next = anchor.UtcTicks + ((number + 1) * every.Ticks);
        return next <= DateTimeOffset.MaxValue.Ticks ? new DateTimeOffset(next, TimeSpan.Zero) : null;
    }
}

/// <summary>Instants within a start and an end, both included.</summary>
public sealed class BoundedInstants(IInstants all, DateTimeOffset? starts, DateTimeOffset? ends) : IInstants
{
    public DateTimeOffset? After(DateTimeOffset instant)
    {
        if (starts is { } start && instant < start) instant = start.AddTicks(-1);
        return all.After(instant) is { } next && !(next > ends) ? next : null;
    }
}
