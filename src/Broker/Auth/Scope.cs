namespace Broker.Auth;

/// <summary>Right of a key.</summary>
[Flags]
internal enum Scope
{
    None = 0,

    /// <summary>Look at workflows, runs, results, streams and logs.</summary>
    Read = 1,

    /// <summary>Start runs, and define workflows.</summary>
    Create = 2,

    /// <summary>Cancel, pause, resume, restart, terminate and tag runs.</summary>
    Manage = 4,

    /// <summary>Send events to runs.</summary>
    Event = 8,

    /// <summary>Have the scheduler look at once.</summary>
    Tick = 16,

    /// <summary>Register workers and their definitions, claim, renew and report steps.</summary>
    Worker = 32,

    /// <summary>Everything, the audit trail too.</summary>
    Admin = 64,

    /// <summary>Read the credentials of repositories. No other scope implies it: a job can use the key of its worker.</summary>
    Credentials = 128,

    /// <summary>Delete runs.</summary>
    Delete = 256,

    /// <summary>On a route: any key will do.</summary>
    Any = Read | Create | Manage | Event | Tick | Worker | Admin | Credentials | Delete,
}

/// <summary>Scopes as they are written.</summary>
internal static class ScopeWords
{
    private static readonly (string Word, Scope Scope)[] All =
    [
        ("read", Scope.Read), ("create", Scope.Create), ("manage", Scope.Manage), ("delete", Scope.Delete), ("event", Scope.Event), ("tick", Scope.Tick), ("worker", Scope.Worker),
        ("credentials", Scope.Credentials), ("admin", Scope.Admin),
    ];

    public const string Expected = "one or more of read, create, manage, delete, event, tick, worker, credentials, admin, with commas between them";

    public static IReadOnlyList<string> Of(Scope scopes) => [.. All.Where(known => scopes.HasFlag(known.Scope)).Select(known => known.Word)];

    /// <summary>The scopes of that list; null when it is empty or has another word in it.</summary>
    public static Scope? Read(IEnumerable<string> words)
    {
        var scopes = Scope.None;
        foreach (var word in words)
        {
            var known = Array.Find(All, known => known.Word.Equals(word, StringComparison.OrdinalIgnoreCase)).Scope;
            if (known is Scope.None) return null;
            scopes |= known;
        }

        return scopes is Scope.None ? null : scopes;
    }

    /// <summary>A stored list, in which a newer version may have written words that mean nothing here.</summary>
    public static Scope Known(IEnumerable<string> words) => words.Aggregate(Scope.None, (scopes, word) => scopes | (Read([word]) ?? Scope.None));
}
