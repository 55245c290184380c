namespace Broker.Operators;

/// <summary>Line of a log.</summary>
/// <param name="Id">Id of the line: later lines have higher ids.</param>
/// <param name="Step">Step that wrote it.</param>
/// <param name="Attempt">Retries that were used before its attempt.</param>
/// <param name="Stream">Stream of the command.</param>
/// <param name="Level">Level.</param>
/// <param name="At">Time of the line by its writer's clock.</param>
/// <param name="Text">The text: a JSON string.</param>
/// <param name="Data">Further data, as it was sent.</param>
public sealed record RunLogLine(long Id, string Step, int? Attempt, [property: Words("stdout", "stderr")] string Stream, [property: Words("debug", "info", "warn", "error")] string Level, DateTimeOffset At, RawJson Text, RawJson? Data);

/// <summary>Choice of lines.</summary>
public sealed record LogQuery
{
    /// <summary>Only of this step; null: all.</summary>
    public string? Step { get; init; }

    /// <summary>Only of the attempt with so many retries before it; null: all.</summary>
    public int? Attempt { get; init; }

    /// <summary>stdout or stderr; null: both.</summary>
    public string? Stream { get; init; }

    /// <summary>Only of this level; null: all.</summary>
    public string? Level { get; init; }

    /// <summary>Lines behind this id.</summary>
    public long? After { get; init; }

    /// <summary>The last lines before this id.</summary>
    public long? Before { get; init; }

    /// <summary>The last lines of the log; else the first ones.</summary>
    public bool FromEnd { get; init; }

    /// <summary>Most lines, 1 to 1,000.</summary>
    public int Limit { get; init; } = 200;
}

/// <summary>Page of a log.</summary>
/// <param name="Items">Lines in order of arrival.</param>
/// <param name="Next">Id for <c>after</c> (for <c>before</c>, where the page was read from the end); null: there are no more.</param>
/// <param name="Complete">False: the read stopped at its bound of 20,000 lines.</param>
public sealed record LogListing(
    IReadOnlyList<RunLogLine> Items,
    [property: System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.Never)] long? Next,
    bool Complete);
