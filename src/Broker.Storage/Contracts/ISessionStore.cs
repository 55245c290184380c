namespace Broker.Storage.Contracts;

/// <summary>A browser that signed in with a key, as it is kept: the hash of its token, never the token.</summary>
/// <param name="Id">Public part, for lists and for the end of the session.</param>
/// <param name="Hash">SHA-256 of the token, 64 hexadecimal digits.</param>
/// <param name="KeyId">Key that it stands for: without the key the session counts for nothing.</param>
/// <param name="Agent">Browser, as it names itself; at most 200 characters.</param>
/// <param name="CreatedAt">Sign-in, by the store's clock.</param>
/// <param name="SeenAt">Last use, to the minute.</param>
/// <param name="ExpiresAt">End at the latest.</param>
public sealed record StoredSession(string Id, string Hash, string KeyId, string Agent, DateTimeOffset CreatedAt, DateTimeOffset SeenAt, DateTimeOffset ExpiresAt);

/// <summary>Sessions of browsers. They are few: each ends by itself.</summary>
public interface ISessionStore
{
    /// <summary>Most sessions of one key: a further sign-in ends the oldest.</summary>
    const int MostOfKey = 100;

    /// <summary>Adds a session, and removes those that have ended.</summary>
    /// <param name="session">Its instants are set here.</param>
    /// <param name="life">Time until its end.</param>
    /// <param name="ct">Gives up.</param>
    Task AddAsync(StoredSession session, TimeSpan life, CancellationToken ct);

    /// <summary>The session of that token, unless it has ended.</summary>
    /// <param name="hash">Hash of the token.</param>
    /// <param name="idle">A session that was not used for longer has ended.</param>
    /// <param name="ct">Gives up.</param>
    Task<StoredSession?> FindAsync(string hash, TimeSpan idle, CancellationToken ct);

    /// <summary>Notes that a session is in use.</summary>
    Task SeenAsync(string hash, CancellationToken ct);

    /// <summary>Sessions that have not ended, the newest first; at most 1,000.</summary>
    /// <param name="idle">A session that was not used for longer has ended.</param>
    /// <param name="ct">Gives up.</param>
    Task<IReadOnlyList<StoredSession>> ListAsync(TimeSpan idle, CancellationToken ct);

    /// <summary>Ends a session; false when there is none of that id.</summary>
    Task<bool> EndAsync(string id, CancellationToken ct);
}
