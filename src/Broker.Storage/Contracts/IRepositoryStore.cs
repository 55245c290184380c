namespace Broker.Storage.Contracts;

/// <summary>Where workflow code lives. Credentials are given to workers and never logged.</summary>
public sealed record Repository(string Name, string Url, IReadOnlyList<string> Workflows, IReadOnlyDictionary<string, string> Credentials);

public interface IRepositoryStore
{
    /// <summary>Stores it; the same name again replaces the whole entry and keeps its place.</summary>
    Task PutAsync(Repository repository, CancellationToken ct);

    /// <summary>Without credentials they are not even decrypted; the answer has none then.</summary>
    Task<Repository?> FindAsync(string name, bool withCredentials, CancellationToken ct);

    /// <summary>In order of first registration.</summary>
    Task<IReadOnlyList<Repository>> ListAsync(int skip, int take, bool withCredentials, CancellationToken ct);

    /// <summary>Encrypts anew what lies in clear, or under a key that is not the present one; returns how many.</summary>
    Task<int> RenewCredentialsAsync(CancellationToken ct);
}
