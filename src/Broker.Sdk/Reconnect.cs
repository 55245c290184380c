using System.Net;
using Broker.Operators;

namespace Broker.Sdk;

/// <summary>Which faults pass, and the pauses before the next attempt: 0.2 s, doubled up to 5 s, each up to half shorter by chance.</summary>
internal sealed class Reconnect(TimeProvider clock)
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    private TimeSpan pause = First;

    /// <summary>A request was answered: the next pause is the first one again.</summary>
    public void Succeeded() => pause = First;

    /// <summary>Whether a broker that restarts, or a proxy before it, causes such a fault.</summary>
    public static bool Passes(Exception fault, CancellationToken ct) => !ct.IsCancellationRequested && fault switch
    {
        OperatorException refused => Passes((HttpStatusCode)refused.Status),
        HttpRequestException { StatusCode: { } status } => Passes(status),
        HttpRequestException or IOException or TimeoutException or OperationCanceledException => true,
        _ => false,
    };

    public async Task PauseAsync(Exception? fault, CancellationToken ct)
    {
        var jittered = pause * (1 - Random.Shared.NextDouble() / 2);
        pause = pause * 2 < Longest ? pause * 2 : Longest;
        var asked = (fault as OperatorException)?.RetryAfter ?? TimeSpan.Zero;
        await Task.Delay(asked > jittered ? asked : jittered, clock, ct);
    }

    private static bool Passes(HttpStatusCode status) => status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway
        or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;
}
