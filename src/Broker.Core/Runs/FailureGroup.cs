using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Broker.Core.Steps;

namespace Broker.Core.Runs;

/// <summary>Groups of failures that look alike: the same workflow, step and name of the error, and the same message but for numbers, ids and quotes.</summary>
public static partial class FailureGroup
{
    private const int Length = 12;

    // Messages differ in their beginning, or not at all as far as people are concerned.
    private const int Compared = 300;

    /// <summary>12 hexadecimal digits, equal for failures that look alike.</summary>
    public static string Of(string workflow, StepError error)
    {
        var text = $"{workflow}\n{error.Step}\n{error.Name}\n{Plain(error.Message)}";
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, Length / 2));
    }

    /// <summary>A message without quoted texts, ids and numbers.</summary>
    public static string Plain(string message)
    {
        var begin = message.Length > Compared ? message[..Compared] : message;
        return Blank().Replace(Number().Replace(Id().Replace(Quoted().Replace(begin, "'…'"), "#"), "#"), " ").Trim();
    }

    [GeneratedRegex("""'[^'\n]*'|"[^"\n]*"|`[^`\n]*`""")]
    private static partial Regex Quoted();

    // Eight characters and more of hexadecimal digits with a number among them, and everything that holds a number within a word.
    [GeneratedRegex(@"\b(?=[0-9a-fA-F-]*\d)[0-9a-fA-F-]{8,}\b|\b\w*\d\w*\b")]
    private static partial Regex Id();

    [GeneratedRegex(@"\d+")]
    private static partial Regex Number();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blank();
}
