namespace Broker.Storage.Contracts;

/// <summary>Looks through the causes of an exception.</summary>
public static class ExceptionExtensions
{
    /// <summary>The first <typeparamref name="T"/> among a fault and its causes: EF wraps what the driver says once or twice.</summary>
    public static T? FindInner<T>(this Exception fault)
        where T : Exception
    {
        for (var at = fault; at is not null; at = at.InnerException)
        {
            if (at is T found) return found;
        }

        return null;
    }
}
