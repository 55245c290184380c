namespace Broker.Api.HandlersDialect;

/// <summary>Where a reader in cursor mode starts: after a number, or with what comes after the request.</summary>
internal readonly record struct StreamCursor(long? After);

/// <summary>How a client wants to read a stream (handlers contract 6).</summary>
internal sealed record EventStreamRequest
{
    /// <summary>Seconds that a reader waits for the queue unless it says otherwise.</summary>
    private const double DefaultAcquireTimeout = 1;

    public required bool Sse { get; init; }
    public required bool IncludeInternal { get; init; }
    public required bool IncludeQualifiedName { get; init; }

    /// <summary>Queue mode: seconds to wait for the reader's lock.</summary>
    public double AcquireTimeout { get; init; }

    /// <summary>Null selects queue mode.</summary>
    public StreamCursor? Cursor { get; init; }

    public StreamMode Mode => Cursor is null ? StreamMode.Queue : StreamMode.Cursor;

    /// <summary>Null with a message when a parameter cannot be read.</summary>
    public static (EventStreamRequest? Request, string Problem) Read(HttpRequest http, HandlersMount mount, EventStreamQuery query)
    {
        var request = new EventStreamRequest
        {
            Sse = QueryText.IsTrue(query.Sse, whenAbsent: true),
            IncludeInternal = QueryText.IsTrue(query.IncludeInternal, whenAbsent: false),
            IncludeQualifiedName = QueryText.IsTrue(query.IncludeQualifiedName, whenAbsent: true),
        };

        // Read in both modes: what is no number is a mistake, also where the number would not be used.
        var seconds = DefaultAcquireTimeout;
        if (query.AcquireTimeout is { } given && !QueryText.TryNumber(given, out seconds)) return (null, $"Invalid acquire_timeout: '{given}'");
        if (query.AfterSequence is { } text && text != "now" && !QueryText.TryInteger(text, out _)) return (null, $"Invalid after_sequence: '{text}'");
        var resumed = request.Sse && QueryText.TryInteger(http.Headers["Last-Event-ID"].ToString(), out var last) ? last : (long?)null;
        StreamCursor? cursor = (resumed, query.AfterSequence) switch
        {
            ({ } seen, _) => new(seen),
            (null, "now") => new(null),
            (null, { } number) when QueryText.TryInteger(number, out var after) => new(after),
            _ => mount.FollowsByDefault ? new(null) : null,
        };
        return (request with { Cursor = cursor, AcquireTimeout = seconds }, "");
    }
}
