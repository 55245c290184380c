using System.Text.Json.Serialization;

namespace Broker.Operators;

/// <summary>The caller and the broker that answers.</summary>
/// <param name="Key">Id of the API key; anonymous where no key is required.</param>
/// <param name="Anonymous">True: the broker asks for no key.</param>
/// <param name="Scopes">Scopes of the key: a key with admin has all but credentials.</param>
/// <param name="Workflows">The only workflows that the key reaches; null: all.</param>
/// <param name="Version">Version of the broker.</param>
/// <param name="Features">Parts of the API that this broker has.</param>
public sealed record Me(
    string Key,
    bool Anonymous,
    [property: KeyScopeWords] IReadOnlyList<string> Scopes,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] IReadOnlyList<string>? Workflows,
    string Version,
    IReadOnlyList<string> Features);
