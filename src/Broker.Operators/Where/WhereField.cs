namespace Broker.Operators.Where;

/// <summary>Kind of the values of a field.</summary>
public enum WhereKind
{
    /// <summary>A name, compared exactly.</summary>
    Name,

    /// <summary>A name, or the begin of one with a star: <c>abc*</c>.</summary>
    Prefix,

    /// <summary>One of the status words.</summary>
    Status,

    /// <summary>A whole number of 0 or more.</summary>
    Number,

    /// <summary>An instant such as <c>2030-01-31T12:00:00Z</c>, a day, or a time ago such as <c>1h</c>.</summary>
    Instant,

    /// <summary>A length of time such as <c>90s</c> or <c>1h30m</c>.</summary>
    Duration,
}

/// <summary>Field of the language.</summary>
/// <param name="Name">Name in expressions.</param>
/// <param name="Kind">Kind of its values.</param>
/// <param name="Operators">Comparisons that it takes.</param>
/// <param name="HasKey">It is written with a key: <c>tag.branch</c>.</param>
public sealed record WhereField(string Name, WhereKind Kind, IReadOnlyList<WhereOperator> Operators, bool HasKey = false)
{
    /// <summary>Status words, and <c>active</c> for those of runs that have not ended.</summary>
    public static IReadOnlyList<string> Statuses { get; } =
        ["queued", "running", "waiting", "pausing", "paused", "succeeded", "failed", "cancelled", "active"];

    private static readonly WhereOperator[] Same = [WhereOperator.Equal, WhereOperator.NotEqual];
    private static readonly WhereOperator[] Order = [WhereOperator.Less, WhereOperator.Greater];

    /// <summary>All fields, in the order of the documentation.</summary>
    public static IReadOnlyList<WhereField> All { get; } =
    [
        new("workflow", WhereKind.Name, Same),
        new("status", WhereKind.Status, Same),
        new("instance", WhereKind.Prefix, Same),
        new("run", WhereKind.Number, [WhereOperator.Equal, .. Order]),
        new("version", WhereKind.Name, Same),
        new("tag", WhereKind.Name, Same, HasKey: true),
        new("created", WhereKind.Instant, Order),
        new("since", WhereKind.Instant, [WhereOperator.Equal]),
        new("until", WhereKind.Instant, [WhereOperator.Equal]),
        new("ended", WhereKind.Instant, Order),
        new("duration", WhereKind.Duration, Order),
        new("error", WhereKind.Name, [.. Same, WhereOperator.Contains]),
        new("error.group", WhereKind.Name, Same),
        new("step", WhereKind.Name, [WhereOperator.Equal]),
        new("worker", WhereKind.Name, [WhereOperator.Equal]),
    ];

    /// <summary>The field of that name, or null.</summary>
    public static WhereField? Find(ReadOnlySpan<char> name)
    {
        foreach (var field in All)
        {
            if (name.Equals(field.Name, StringComparison.OrdinalIgnoreCase)) return field;
        }

        return null;
    }

    /// <summary>Several values after one comparison are allowed.</summary>
    public bool TakesList(WhereOperator comparison) =>
        comparison is WhereOperator.Equal or WhereOperator.NotEqual && Kind is not WhereKind.Instant;

    /// <summary>The expectation that a value fails; null when it is in order.</summary>
    public string? Refusal(WhereValue value) => Kind switch
    {
        WhereKind.Status => Statuses.Contains(value.Text, StringComparer.OrdinalIgnoreCase) ? null : $"expected one of {string.Join(", ", Statuses)}",
        WhereKind.Number => WhereValues.TryNumber(value.Text, out _) ? null : "expected a whole number of 0 or more",
        WhereKind.Instant => WhereValues.TryInstant(value.Text, default, out _) ? null : "expected an instant such as 2030-01-31T12:00:00Z, a day such as 2030-01-31, or a time ago such as 1h",
        WhereKind.Duration => WhereValues.TryDuration(value.Text, out _) ? null : "expected a length of time such as 90s, 5m or 1h30m",
        WhereKind.Name or WhereKind.Prefix => value.Text.Length > 0 ? null : "expected a value that is not empty",
    };
}
