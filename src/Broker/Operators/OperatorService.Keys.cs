using Broker.Auth;
using Broker.Core.Definitions;
using Broker.Core.Json;
using Broker.Storage.Contracts;

namespace Broker.Operators;

internal sealed partial class OperatorService
{
    private const int LongestKeyName = 100;
    private const int MostKeyWorkflows = 1000;

    public async Task<Listing<KeyInfo>> ListKeysAsync(CancellationToken ct)
    {
        var stored = await keyStore.ListAsync(ct);
        return new(
            [
                .. stored.Select(KeyInfos.Of),
                .. auth.Keys.Select(KeyInfos.Of),
            ],
            null, engine.Now);
    }

    public async Task<CreatedKey> CreateKeyAsync(NewKey key, CancellationToken ct)
    {
        if (key.Name?.Trim() is not { Length: > 0 and <= LongestKeyName } name || name.Any(char.IsControl) || !StorableText.Fits(name)) throw BadMember("name", $"expected 1 to {LongestKeyName} characters, none of them a control character");
        if (key.Scopes is not { Count: > 0 } || key.Scopes.Contains(null!) || ScopeWords.Read(key.Scopes) is not { } scopes) throw BadMember("scopes", $"expected an array of {ScopeWords.Expected.Replace(", with commas between them", "", StringComparison.Ordinal)}");
        if (key.Workflows is { } workflows && (workflows.Count is 0 or > MostKeyWorkflows || workflows.Any(workflow => workflow is null || !PathNames.Fits(workflow))))
            throw BadMember("workflows", $"expected 1 to {MostKeyWorkflows} names of workflows");

        // Admin has all scopes but one: a key gives no scope that it has not.
        if (scopes.HasFlag(Scope.Credentials) && !Caller.Current.Scopes.HasFlag(Scope.Credentials))
            throw new OperatorException(StatusCodes.Status403Forbidden, "missing_scope", "The key lacks the scope credentials, so it makes no keys that have it.", "/scopes");
        var (id, text) = ApiKey.Create();
        var made = new StoredKey(id, name, ApiKey.HashOf(text), ScopeWords.Of(scopes), key.Workflows is null ? null : [.. key.Workflows.Distinct(StringComparer.Ordinal)], default, null, null);
        await keyStore.AddAsync(made, Caller.Current.Id, ct);
        await keys.RefreshAsync(ct);
        return new(text, KeyInfos.Of((await keyStore.ListAsync(ct)).Single(stored => stored.Id == id)));
    }

    public async Task<KeyInfo> RevokeKeyAsync(string id, CancellationToken ct)
    {
        if (auth.Keys.Any(key => key.Id == id)) throw new OperatorException(StatusCodes.Status409Conflict, "not_allowed", "The key is one of the configuration: take it out there.");
        var isRevoked = await keyStore.RevokeAsync(id, Caller.Current.Id, ct);
        var stored = (await keyStore.ListAsync(ct)).FirstOrDefault(key => key.Id == id) ?? throw OperatorException.NotFound($"There is no key '{id}'.");
        if (!isRevoked) throw new OperatorException(StatusCodes.Status409Conflict, "not_allowed", "The key was revoked before.");
        await keys.RefreshAsync(ct);
        return KeyInfos.Of(stored);
    }

    public async Task<Listing<SessionInfo>> ListSessionsAsync(CancellationToken ct) => new([.. (await sessionStore.ListAsync(SessionCache.Idle, ct)).Select(InfoOf)], null, engine.Now);

    public async Task<SessionInfo> EndSessionAsync(string id, CancellationToken ct)
    {
        var session = (await sessionStore.ListAsync(SessionCache.Idle, ct)).FirstOrDefault(session => session.Id == id);
        if (session is null || !await sessionStore.EndAsync(id, ct)) throw OperatorException.NotFound($"There is no session '{id}'.");
        sessions.Forget(session.Hash);
        await trail.RecordAsync("end_session", detail: $"{id} of key {session.KeyId}");
        return InfoOf(session);
    }

    private static SessionInfo InfoOf(StoredSession session) => new(session.Id, session.KeyId, session.Agent, session.CreatedAt, session.SeenAt, session.ExpiresAt);
}
