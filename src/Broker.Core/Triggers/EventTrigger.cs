using System.Collections.Immutable;
using System.Text.Json;
using Broker.Core.Conditions;
using Broker.Core.Definitions;
using Broker.Core.Json;
using Broker.Core.Runs;

namespace Broker.Core.Triggers;

/// <summary>A subscription of a workflow to events that name no run: <c>on</c> of its definition.</summary>
public sealed record EventTrigger
{
    public required string Type { get; init; }

    /// <summary>Condition on the payload, whose members it reads as inputs; null: any payload.</summary>
    public Expression? Where { get; init; }

    /// <summary>Form of the instance id; null: it is made from the event's id.</summary>
    public KeyForm? Key { get; init; }

    /// <summary>False: the event goes to an instance of that key, and starts none.</summary>
    public bool Starts { get; init; } = true;

    /// <summary>Whether an event is meant.</summary>
    public bool Wants(JsonElement payload) => Where is null || Where.IsTrue(new PayloadScope(payload));

    private sealed class PayloadScope(JsonElement payload) : IConditionScope
    {
        public bool Success() => true;

        public bool Failure() => false;

        public bool Cancelled() => false;

        public JsonElement? Input(string name) => payload.ValueKind is JsonValueKind.Object && payload.TryGetProperty(name, out var value) ? value : null;

        public string? Result(string job) => null;

        public string? Output(string job, string name) => null;
    }
}

/// <summary>A text with members of the payload, such as <c>order-{payload.order}</c>.</summary>
public sealed class KeyForm
{
    public const int Longest = 200;

    private const string Root = "payload";

    private readonly ImmutableArray<(string? Text, ImmutableArray<string> Path)> parts;

    private KeyForm(ImmutableArray<(string?, ImmutableArray<string>)> parts) => this.parts = parts;

    /// <summary>Null when the text is none.</summary>
    public static KeyForm? Parse(string text)
    {
        if (text.Length is 0 or > Longest) return null;
        var parts = ImmutableArray.CreateBuilder<(string?, ImmutableArray<string>)>();
        for (var at = 0; at < text.Length;)
        {
            var open = text.IndexOf('{', at);
            if (open < 0) open = text.Length;
            if (text.AsSpan(at, open - at).Contains('}')) return null;
            if (open > at) parts.Add((text[at..open], []));
            if (open == text.Length) break;
            var close = text.IndexOf('}', open);
            if (close < 0) return null;
            var path = text[(open + 1)..close].Split('.');
            if (path is not [Root, _, ..] || path.Contains("")) return null;
            parts.Add((null, [.. path.Skip(1)]));
            at = close + 1;
        }

        return parts.Any(part => part.Item1 is null) ? new(parts.ToImmutable()) : null;
    }

    /// <summary>The instance id of a payload; null when it lacks a member, or when the text can be no id.</summary>
    public string? Of(JsonElement payload)
    {
        var id = "";
        foreach (var (text, path) in parts)
        {
            if ((text ?? ValueOf(payload, path)) is not { } part) return null;
            id += part;
            if (id.Length > Longest) return null;
        }

        return id.Length > 0 && StorableText.Fits(id) && RunRef.MayBeChosen(id) ? id : null;
    }

    private static string? ValueOf(JsonElement value, ImmutableArray<string> path)
    {
        foreach (var name in path)
        {
            if (value.ValueKind is not JsonValueKind.Object || !value.TryGetProperty(name, out value)) return null;
        }

        return value.ValueKind switch
        {
            JsonValueKind.String => JsonText.StringOf(value),
            JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
            _ => null,
        };
    }
}

/// <summary>Reader of <c>on</c>: an object with <c>event</c>, or an array of them.</summary>
public static class TriggerReader
{
    /// <summary>Subscriptions of one definition.</summary>
    public const int Most = 20;

    public const int LongestType = 128;

    private static readonly string[] Members = ["event", "where", "key", "start"];

    /// <summary>A subscription as it was stored.</summary>
    public static EventTrigger OfStored(string json) => Read(JsonElement.Parse(json), "", new ProblemList())!;

    internal static ImmutableArray<TriggerEntry> ReadEntries(JsonElement document, ProblemList problems)
    {
        if (!document.TryGetProperty("on", out var on) || on.ValueKind is JsonValueKind.Null) return [];
        if (on.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array) || (on.ValueKind is JsonValueKind.Array && on.GetArrayLength() > Most))
        {
            problems.Add("on", $"expected an object such as {{\"event\": \"order.created\"}}, or an array of at most {Most}");
            return [];
        }

        JsonElement[] given = on.ValueKind is JsonValueKind.Array ? [.. on.EnumerateArray()] : [on];
        var entries = ImmutableArray.CreateBuilder<TriggerEntry>();
        for (var i = 0; i < given.Length; i++)
        {
            var path = on.ValueKind is JsonValueKind.Object ? "on" : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"on[{i}]");
            if (given[i].ValueKind is not JsonValueKind.Object) problems.Add(path, $"expected an object, got {JsonText.KindOf(given[i])}");
            else if (Read(given[i], path, problems) is { } trigger) entries.Add(new(trigger.Type, given[i].GetRawText()));
        }

        return entries.ToImmutable();
    }

    private static EventTrigger? Read(JsonElement trigger, string path, ProblemList problems)
    {
        foreach (var name in trigger.EnumerateObject().Select(JsonText.NameOf).Where(name => !Members.Contains(name))) problems.Add(ProblemList.Join(path, name), $"is not known; expected {string.Join(", ", Members)}");
        var type = problems.Text(trigger, "event", path);
        if (type is not { Length: > 0 and <= LongestType } || !StorableText.Fits(type)) problems.Add(ProblemList.Join(path, "event"), $"expected an event type of 1 to {LongestType} characters");
        var key = problems.Text(trigger, "key", path);
        var form = key is null ? null : KeyForm.Parse(key);
        if (key is not null && form is null) problems.Add(ProblemList.Join(path, "key"), "expected a text with members of the payload, such as order-{payload.order}");
        var starts = !trigger.TryGetProperty("start", out var start) || start.ValueKind is JsonValueKind.Null || problems.Boolean(trigger, "start", path);
        if (!starts && key is null) problems.Add(ProblemList.Join(path, "key"), "is required where start is false: it names the instance");
        var where = problems.Text(trigger, "where", path) is { } text ? Condition(text, ProblemList.Join(path, "where"), problems) : null;
        return problems.Any ? null : new() { Type = type!, Where = where, Key = form, Starts = starts };
    }

    private static Expression? Condition(string text, string path, ProblemList problems)
    {
        var (condition, fault, column) = Expression.Parse(text);
        if (condition is null) problems.Add(path, $"column {column}: {fault}");
        foreach (var lookup in condition?.Lookups.Where(lookup => lookup.Kind is not LookupKind.Input) ?? []) problems.Add(path, $"reads {lookup}; here is inputs.NAME, a member of the payload");
        return condition;
    }
}

/// <summary>A subscription as a definition holds it.</summary>
/// <param name="Type">Type of the event.</param>
/// <param name="SpecJson">The subscription's JSON.</param>
public sealed record TriggerEntry(string Type, string SpecJson);
