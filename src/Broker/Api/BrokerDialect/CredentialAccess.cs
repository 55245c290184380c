using Broker.Auth;

namespace Broker.Api.BrokerDialect;

/// <summary>The one place that decides which callers are answered with credentials. Other callers get an empty object in their place.</summary>
internal static class CredentialAccess
{
    /// <summary>Keys with that scope, not even administrators without it; where no keys are asked for, every caller.</summary>
    public static bool IsGranted => (Caller.Current.Scopes & Scope.Credentials) != 0;
}
