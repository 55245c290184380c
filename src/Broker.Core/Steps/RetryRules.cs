using System.Collections.Immutable;
using System.Globalization;

namespace Broker.Core.Steps;

/// <summary>Failures by name or by exit code.</summary>
public sealed record RetryRules(ImmutableArray<string> Names, ImmutableArray<int> ExitCodes)
{
    private const string ExitCode = "exit code ";

    /// <summary>No failure.</summary>
    public static RetryRules Empty { get; } = new([], []);

    public bool IsEmpty => Names.IsEmpty && ExitCodes.IsEmpty;

    /// <summary>Whether one of the rules is about that failure.</summary>
    public bool Match(StepError error) => Names.Contains(error.Name) || (!ExitCodes.IsEmpty && ExitCodeOf(error) is { } code && ExitCodes.Contains(code));

    /// <summary>The exit code of a failed job: as its worker reported it, or as the error text begins (<c>exit code 3: …</c>); null: none.</summary>
    public static int? ExitCodeOf(StepError error)
    {
        if (error.ExitCode is { } reported) return reported;
        if (!error.Message.StartsWith(ExitCode, StringComparison.Ordinal)) return null;
        var rest = error.Message.AsSpan(ExitCode.Length);
        var end = 0;
        while (end < rest.Length && (char.IsAsciiDigit(rest[end]) || (end == 0 && rest[0] == '-'))) end++;
        return int.TryParse(rest[..end], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var code) ? code : null;
    }
}
