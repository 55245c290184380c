using Broker.Storage.Contracts;

namespace Broker.Background;

/// <summary>
/// Encrypts credentials that an earlier version wrote in clear, in the first round. Later rounds renew those under an old key, once the ring
/// has a new one.
/// </summary>
internal sealed class CredentialRenewal(IRepositoryStore repositories, TimeProvider clock, ILogger<CredentialRenewal> log)
    : PeriodicService(TimeSpan.FromHours(1), clock, log)
{
    internal override Task<int> RunOnceAsync(CancellationToken ct) => repositories.RenewCredentialsAsync(ct);
}
