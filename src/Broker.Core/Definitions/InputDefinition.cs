using System.Collections.Immutable;

namespace Broker.Core.Definitions;

/// <summary>Type of a declared input.</summary>
public enum InputType
{
    /// <summary>Written <c>string</c>.</summary>
    Text,

    Number,
    Boolean,

    /// <summary>A string out of <see cref="InputDefinition.Options"/>.</summary>
    Choice,
}

/// <summary>An input that a definition declares: member <c>inputs</c> of its document.</summary>
public sealed record InputDefinition(string Name, InputType Type)
{
    /// <summary>A start without it, where there is no default, is refused.</summary>
    public bool Required { get; init; }

    /// <summary>Raw JSON of the value that a start without it gets: the declared default, else "", 0 or false.</summary>
    public required string DefaultJson { get; init; }

    /// <summary>The document gives a default.</summary>
    public bool HasDefault { get; init; }

    /// <summary>Values of a choice, in order; empty for other types.</summary>
    public ImmutableArray<string> Options { get; init; } = [];

    public string? Description { get; init; }

    /// <summary>The environment variable that shell commands read it from.</summary>
    public string Variable => InputVariables.NameOf(Name);
}
