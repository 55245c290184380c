using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Json;
using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Core.Schedules;

/// <summary>A rule, or every problem that was found.</summary>
public sealed record ScheduleReading(ScheduleRule? Rule, IReadOnlyList<DefinitionProblem> Problems);

/// <summary>Reader of schedules: those of the API, and the list <c>schedules</c> of a definition.</summary>
public static class ScheduleReader
{
    public const int LongestName = 100;

    /// <summary>Schedules of one definition.</summary>
    public const int MostEntries = 20;

    public const int MostCrons = 10;
    public const long LeastEveryMs = 1000;
    public const long MostWindowMs = 7L * 24 * 60 * 60 * 1000;
    public const int MostCatchUp = 1_000;
    public const long MostJitterMs = 24L * 60 * 60 * 1000;

    // The broker adds two of its own.
    private const int MostTags = RunTags.Most - 2;

    private static readonly string[] Members =
    [
        "cron", "timezone", "every_ms", "overlap", "catch_up", "jitter_ms", "starts_at", "ends_at", "pause_on_failure", "version", "inputs", "tags", "priority",
    ];

    // Sums of instants stay in the range of instants.
    private static readonly DateTimeOffset Earliest = new(1970, 1, 1, 0, 0, 0, TimeSpan.Zero), Latest = new(9000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static ScheduleReading Read(JsonElement spec)
    {
        var problems = new ProblemList();
        var rule = Rule(spec, "", Members, problems);
        return new(problems.Any ? null : rule, problems.All);
    }

    /// <summary>The rule of a stored schedule.</summary>
    public static ScheduleRule OfStored(string specJson) => Rule(JsonElement.Parse(specJson), "", Members, new ProblemList());

    /// <summary>Whether that can be the name of a schedule: it becomes part of instance ids.</summary>
    public static bool IsName(string name) => name.Length is > 0 and <= LongestName && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '_' or '-') && char.IsAsciiLetterOrDigit(name[0]);

    /// <summary>The name of a definition's schedule; no schedule that is made by hand has a colon.</summary>
    public static string NameOf(string workflow, string entry) => $"{workflow}:{entry}";

    internal static ImmutableArray<ScheduleEntry> ReadEntries(JsonElement document, string workflow, ProblemList problems)
    {
        if (!document.TryGetProperty("schedules", out var list) || list.ValueKind is JsonValueKind.Null) return [];
        if (list.ValueKind is not JsonValueKind.Array || list.GetArrayLength() > MostEntries)
        {
            problems.Add("schedules", $"expected an array of at most {MostEntries} schedules");
            return [];
        }

        if (list.GetArrayLength() > 0 && (workflow.Length > LongestName || !RunRef.MayBeChosen($"{workflow}:a"))) problems.Add("schedules", $"need a workflow name of at most {LongestName} characters, none of / and ~: it becomes part of instance ids");
        var entries = ImmutableArray.CreateBuilder<ScheduleEntry>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in list.EnumerateArray())
        {
            var path = string.Create(CultureInfo.InvariantCulture, $"schedules[{entries.Count}]");
            if (entry.ValueKind is not JsonValueKind.Object)
            {
                problems.Add(path, $"expected an object, got {JsonText.KindOf(entry)}");
                continue;
            }

            Rule(entry, path, ["name", .. Members], problems);
            var name = problems.Text(entry, "name", path) ?? (entries.Count + 1).ToString(CultureInfo.InvariantCulture);
            if (!IsName(name)) problems.Add($"{path}.name", NameExpected);
            else if (!names.Add(name)) problems.Add($"{path}.name", $"another schedule is '{name}' too");
            entries.Add(new(name, SpecOf(entry)));
        }

        return entries.ToImmutable();
    }

    /// <summary>The form of a name, for messages.</summary>
    public static string NameExpected => $"expected 1 to {LongestName} letters, digits, dots, dashes and underscores, the first a letter or a digit";

    /// <summary>A schedule as it is stored: its members in one order, without a name, values as they were written.</summary>
    public static string SpecOf(JsonElement spec)
    {
        var members = spec.EnumerateObject().Where(member => member.Value.ValueKind is not JsonValueKind.Null).ToDictionary(JsonText.NameOf, member => member.Value.GetRawText(), StringComparer.Ordinal);
        return $"{{{string.Join(',', Members.Where(members.ContainsKey).Select(name => $"\"{name}\":{members[name]}"))}}}";
    }

    /// <summary>Whether two stored schedules say the same.</summary>
    public static bool AreSame(string spec, string other) => spec == other || CanonicalJson.Of(JsonElement.Parse(spec)) == CanonicalJson.Of(JsonElement.Parse(other));

    private static ScheduleRule Rule(JsonElement spec, string path, IReadOnlyList<string> known, ProblemList problems)
    {
        foreach (var name in spec.EnumerateObject().Select(JsonText.NameOf).Where(name => !known.Contains(name)))
            problems.Add(ProblemList.Join(path, name), $"is not known; expected {string.Join(", ", known)}");
        var rule = new ScheduleRule
        {
            Crons = Crons(spec, path, problems),
            Zone = problems.Text(spec, "timezone", path) ?? "UTC",
            EveryMs = problems.Integer(spec, "every_ms", path, LeastEveryMs, RetryPolicy.LongestMs),
            Overlap = problems.Text(spec, "overlap", path) switch
            {
                null or "skip" => Overlap.Skip,
                "queue_one" => Overlap.QueueOne,
                "queue_all" => Overlap.QueueAll,
                "cancel_running" => Overlap.CancelRunning,
                "allow" => Overlap.Allow,
                _ => problems.Add<Overlap>(ProblemList.Join(path, "overlap"), "expected skip, queue_one, queue_all, cancel_running or allow"),
            },
            CatchUp = CatchUpOf(spec, path, problems),
            JitterMs = problems.Integer(spec, "jitter_ms", path, 0, MostJitterMs) ?? 0,
            StartsAt = Instant(spec, "starts_at", path, problems),
            EndsAt = Instant(spec, "ends_at", path, problems),
            PauseOnFailure = problems.Boolean(spec, "pause_on_failure", path),
            Version = problems.Text(spec, "version", path),
            InputsJson = spec.TryGetProperty("inputs", out var inputs) && inputs.ValueKind is not JsonValueKind.Null ? inputs.GetRawText() : "{}",
            TagsJson = Tags(spec, path, problems),
            Priority = (int)(problems.Integer(spec, "priority", path, -StepDefinition.MaxPriority, StepDefinition.MaxPriority) ?? 0),
        };
        if (rule.Zone.Length is 0 or > LongestName || !StorableText.Fits(rule.Zone)) problems.Add(ProblemList.Join(path, "timezone"), "expected an IANA name such as Europe/Berlin");
        if (rule.Version is { } version && !problems.IsName(version, ProblemList.Join(path, "version"))) return rule;
        if (rule.Crons.IsEmpty && !Has(spec, "every_ms") && !Has(spec, "cron")) problems.Add(ProblemList.Join(path, "cron"), "is required, or every_ms");
        if (Has(spec, "cron") && Has(spec, "every_ms")) problems.Add(ProblemList.Join(path, "every_ms"), "says the same as cron: give one of them");
        if (Has(spec, "timezone") && Has(spec, "every_ms")) problems.Add(ProblemList.Join(path, "timezone"), "is for cron; an interval has no time zone");
        if (rule.EndsAt < rule.StartsAt) problems.Add(ProblemList.Join(path, "ends_at"), "is before starts_at");
        return rule;
    }

    private static bool Has(JsonElement owner, string member) => owner.TryGetProperty(member, out var value) && value.ValueKind is not JsonValueKind.Null;

    private static ImmutableArray<string> Crons(JsonElement spec, string path, ProblemList problems)
    {
        if (!Has(spec, "cron")) return [];
        var at = ProblemList.Join(path, "cron");
        var cron = spec.GetProperty("cron");
        IEnumerable<JsonElement> given = cron.ValueKind is JsonValueKind.Array ? cron.EnumerateArray() : [cron];
        var crons = ImmutableArray.CreateBuilder<string>();
        foreach (var one in given.Take(MostCrons + 1))
        {
            if (one.ValueKind is not JsonValueKind.String) problems.Add(at, $"expected a string or an array of strings, got {JsonText.KindOf(one)}");
            else if (CronText.Problem(JsonText.StringOf(one)) is { } problem) problems.Add(at, problem);
            else crons.Add(JsonText.StringOf(one));
        }

        if (cron.ValueKind is JsonValueKind.Array && cron.GetArrayLength() is 0 or > MostCrons) problems.Add(at, $"expected 1 to {MostCrons} expressions");
        return crons.ToImmutable();
    }

    private static CatchUp CatchUpOf(JsonElement spec, string path, ProblemList problems)
    {
        if (problems.Object(spec, "catch_up", path) is not { } given) return CatchUp.Usual;
        var at = ProblemList.Join(path, "catch_up");
        foreach (var name in given.EnumerateObject().Select(JsonText.NameOf).Where(name => name is not ("window_ms" or "runs" or "most"))) problems.Add($"{at}.{name}", "is not known; expected window_ms, runs, most");
        var runs = problems.Text(given, "runs", at) switch
        {
            null or "latest" => CatchUpRuns.Latest,
            "all" => CatchUpRuns.All,
            "none" => CatchUpRuns.None,
            _ => problems.Add<CatchUpRuns>($"{at}.runs", "expected latest, all or none"),
        };
        return new(problems.Integer(given, "window_ms", at, 0, MostWindowMs) ?? CatchUp.Usual.WindowMs, runs, (int)(problems.Integer(given, "most", at, 1, MostCatchUp) ?? CatchUp.Usual.Most));
    }

    private static DateTimeOffset? Instant(JsonElement spec, string member, string path, ProblemList problems)
    {
        if (problems.Text(spec, member, path) is not { } text) return null;
        if (spec.GetProperty(member).TryGetDateTimeOffset(out var instant) && instant >= Earliest && instant < Latest && text.Length > "2030-01-31T12:00".Length && (text.EndsWith('Z') || text[^6] is '+' or '-')) return instant.ToUniversalTime();
        problems.Add(ProblemList.Join(path, member), "expected an instant such as 2030-01-31T12:00:00Z, from 1970 to 8999");
        return null;
    }

    private static string? Tags(JsonElement spec, string path, ProblemList problems)
    {
        if (problems.Object(spec, "tags", path) is not { } tags) return null;
        var at = ProblemList.Join(path, "tags");
        if (RunTags.Problem(tags) is { } fault) problems.Add(fault.Name.Length == 0 ? at : $"{at}.{fault.Name}", fault.Message);
        else if (tags.EnumerateObject().Count() > MostTags) problems.Add(at, $"has more than {MostTags} tags: the broker adds two");
        foreach (var name in tags.EnumerateObject().Select(JsonText.NameOf).Where(name => name is RuleTags.Schedule or RuleTags.Instant)) problems.Add($"{at}.{name}", "is a tag that the broker sets");
        return tags.GetRawText();
    }
}

/// <summary>Tags that the broker gives to the runs of a schedule.</summary>
public static class RuleTags
{
    public const string Schedule = "schedule";

    /// <summary>The nominal instant.</summary>
    public const string Instant = "scheduled_for";

    /// <summary>The tags of a run, with those of the rule.</summary>
    public static string Of(string? tagsJson, string schedule, DateTimeOffset instant)
    {
        var own = string.Create(CultureInfo.InvariantCulture, $"\"{Schedule}\":\"{JsonEncodedText.Encode(schedule)}\",\"{Instant}\":\"{instant.UtcDateTime:yyyy-MM-ddTHH:mm:ss.FFFZ}\"");
        return tagsJson is null || !JsonElement.Parse(tagsJson).EnumerateObject().Any() ? $"{{{own}}}" : $"{{{own},{tagsJson.TrimStart()[1..]}";
    }
}
