using Broker.Auth;

namespace Broker.Api.BrokerDialect;

/// <summary>The one place that decides who is answered with credentials. Everybody else gets an empty object in their place.</summary>
internal static class CredentialAccess
{
    /// <summary>Workers, and nobody else, not even administrators; where no keys are asked for, whoever can reach the broker.</summary>
    public static bool IsGranted => (Caller.Current.Scopes & Scope.Worker) != 0;
}
