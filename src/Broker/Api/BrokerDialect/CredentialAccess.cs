namespace Broker.Api.BrokerDialect;

/// <summary>The one place that decides who is answered with credentials. Everybody else gets an empty object in their place.</summary>
internal static class CredentialAccess
{
    public const string ScopeClaim = "scope";
    public const string WorkerScope = "worker";

    /// <summary>Workers, and, where no keys are asked for, whoever can reach the broker.</summary>
    public static bool Has(HttpContext http) =>
        http.User.Identity is not { IsAuthenticated: true } || http.User.HasClaim(ScopeClaim, WorkerScope);
}
