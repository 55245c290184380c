using System.Globalization;
using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Json;
using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Api;

/// <summary>Names of the members of a start for its begin, its priority and its limit, as a dialect spells them.</summary>
internal sealed record StartOptionNames(string StartAt, string DelayMs, string Priority, string RunMs)
{
    public static StartOptionNames Snake { get; } = new("start_at", "delay_ms", "priority", "run_ms");

    public static StartOptionNames Camel { get; } = new("startAt", "delayMs", "priority", "runMs");
}

/// <summary>When a run begins, how urgent it is and how long it may take: extensions that every dialect takes with a start.</summary>
internal sealed record StartOptions(DateTimeOffset? StartAt = null, long? DelayMs = null, int Priority = 0, long? LimitMs = null)
{
    public static StartOptions None { get; } = new();

    // A time that is added to an instant stays in the range of instants.
    private static readonly DateTimeOffset Latest = new(9000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <param name="find">Finds a member of the request; null when there is none, or it is null.</param>
    /// <param name="names">The members.</param>
    /// <param name="problem">Takes the member and what is wrong with it.</param>
    /// <param name="takesMilliseconds">An instant may be a number too: milliseconds since 1970.</param>
    public static StartOptions Read(Func<string, JsonElement?> find, StartOptionNames names, Action<string, string> problem, bool takesMilliseconds = false)
    {
        var given = find(names.StartAt);
        var start = takesMilliseconds && given is { ValueKind: JsonValueKind.Number }
            ? Integer(given, names.StartAt, 0, Latest.ToUnixTimeMilliseconds(), problem) is { } ms ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : null
            : Instant(given, names.StartAt, problem);
        var delay = Integer(find(names.DelayMs), names.DelayMs, 0, RetryPolicy.LongestMs, problem);
        if (start is not null && delay is not null) problem(names.DelayMs, $"says the same as {names.StartAt}: give one of them");
        return new(
            start,
            delay,
            (int)(Integer(find(names.Priority), names.Priority, -StepDefinition.MaxPriority, StepDefinition.MaxPriority, problem) ?? 0),
            Integer(find(names.RunMs), names.RunMs, 1, RetryPolicy.LongestMs, problem));
    }

    public StartRequest Of(StartRequest start) => start with { StartAt = StartAt, DelayMs = DelayMs, Priority = Priority, LimitMs = LimitMs };

    /// <summary>An integer within bounds; null when it is not given, or refused.</summary>
    public static long? Integer(JsonElement? given, string member, long least, long most, Action<string, string> problem)
    {
        if (given is not { } value) return null;
        if (value.ValueKind is JsonValueKind.Number && value.TryGetInt64(out var number) && number >= least && number <= most) return number;
        problem(member, $"expected an integer from {least} to {most}");
        return null;
    }

    private static DateTimeOffset? Instant(JsonElement? given, string member, Action<string, string> problem)
    {
        if (given is not { } value) return null;
        if (value.ValueKind is JsonValueKind.String && TryRead(JsonText.StringOf(value), out var at)) return at;
        problem(member, "expected an instant with its offset before the year 9000, such as 2026-01-31T08:00:00Z");
        return null;
    }

    private static bool TryRead(string text, out DateTimeOffset at) =>
        DateTimeOffset.TryParseExact(
            text, ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"], CultureInfo.InvariantCulture, DateTimeStyles.None, out at)
        && (text.EndsWith('Z') || text[^6] is '+' or '-') && at < Latest;
}
