using Broker.Auth;
using Broker.Storage.Contracts;

namespace Broker.Operators;

/// <summary>API keys as lists show them.</summary>
internal static class KeyInfos
{
    public static KeyInfo Of(StoredKey key) => new(key.Id, key.Name, key.Scopes, key.Workflows, key.CreatedAt, key.LastUsedAt, key.RevokedAt);

    /// <summary>A key of the configuration has no times.</summary>
    public static KeyInfo Of(ConfiguredKey key) => new(key.Id, "(configuration)", ScopeWords.Of(key.Scopes), key.Workflows is null ? null : [.. key.Workflows], null, null, null);
}
