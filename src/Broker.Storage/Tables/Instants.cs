namespace Broker.Storage.Tables;

/// <summary>Instants as the tables keep them.</summary>
internal static class Instants
{
    private static readonly long Epoch = DateTimeOffset.UnixEpoch.UtcTicks;

    public static long ToMicros(this DateTimeOffset at) => (at.UtcTicks - Epoch) / TimeSpan.TicksPerMicrosecond;

    public static long? ToMicros(this DateTimeOffset? at) => at?.ToMicros();

    public static DateTimeOffset FromMicros(long micros) => new(Epoch + (micros * TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);

    public static DateTimeOffset? FromMicros(long? micros) => micros is { } value ? FromMicros(value) : null;
}
