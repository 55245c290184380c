using System.Security.Cryptography;
using Broker.Core.Json;

namespace Broker.Api.InstancesDialect;

/// <summary>Which ids, event types and names are in order (instances contract 2.2).</summary>
internal static class Identifiers
{
    public const int MaxInstanceId = 100;

    /// <summary>Newer clients send longer types, with dots and colons.</summary>
    public const int MaxEventType = 128;

    public const int MaxWorkflowName = 64;

    private const string Base36 = "0123456789abcdefghijklmnopqrstuvwxyz";

    public static bool IsInstanceId(string text) => text.Length is > 0 and <= MaxInstanceId && text[0] != '-' && text.All(IsPlain);

    public static bool IsEventType(string text) =>
        text.Length is > 0 and <= MaxEventType && text[0] is not ('-' or '.' or ':') && text.All(c => IsPlain(c) || c is '.' or ':');

    public static bool IsWorkflowName(string text) => text.Length is > 0 and <= MaxWorkflowName && StorableText.Fits(text);

    /// <summary><c>inst_</c>, the milliseconds, <c>_</c> and eight random characters, both in base 36.</summary>
    public static string NewInstanceId(DateTimeOffset now) => $"inst_{InBase36(now.ToUnixTimeMilliseconds())}_{RandomNumberGenerator.GetString(Base36, 8)}";

    private static string InBase36(long value)
    {
        Span<char> digits = stackalloc char[13];
        var at = digits.Length;
        do
        {
            digits[--at] = Base36[(int)(value % 36)];
            value /= 36;
        }
        while (value > 0);
        return new string(digits[at..]);
    }

    private static bool IsPlain(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '_';
}
