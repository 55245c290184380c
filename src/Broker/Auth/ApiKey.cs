using System.Security.Cryptography;
using System.Text;

namespace Broker.Auth;

/// <summary>
/// The text of a key: <c>brk_ID_SECRET</c>. Its hash is one round of SHA-256 over the whole text, computed for every request. A slow,
/// salted hash would protect secrets that can be guessed; this one has 238 random bits.
/// </summary>
internal static class ApiKey
{
    public const int HashBytes = SHA256.HashSizeInBytes;
    public const int MaxIdLength = 64;

    private const string Prefix = "brk_";
    private const string IdAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
    private const string SecretAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    // Not secret, only distinct.
    private const int IdLength = 12;

    // 40 of 62 characters: 238 bits. Letters and digits alone, so that a double click selects the whole key.
    private const int SecretLength = 40;

    // Longer than any key of ours; a longer text is not hashed.
    private const int MaxLength = 256;

    public static (string Id, string Key) Create()
    {
        var id = RandomNumberGenerator.GetString(IdAlphabet, IdLength);
        return (id, $"{Prefix}{id}_{RandomNumberGenerator.GetString(SecretAlphabet, SecretLength)}");
    }

    public static string HashOf(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    /// <summary>The id in a key; empty when the text is none.</summary>
    public static ReadOnlySpan<char> IdOf(ReadOnlySpan<char> key)
    {
        if (key.Length > MaxLength || !key.StartsWith(Prefix, StringComparison.Ordinal)) return [];
        var rest = key[Prefix.Length..];
        var end = rest.IndexOf('_');
        return end > 0 ? rest[..end] : [];
    }

    /// <summary>An id may be chosen in the configuration: it must not end early in a key.</summary>
    public static bool IsId(string id) =>
        id.Length is > 0 and <= MaxIdLength && id.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '-') && !Caller.Reserved.Contains(id);

    /// <summary>Whether the key has that hash, compared in constant time.</summary>
    public static bool Matches(ReadOnlySpan<char> key, ReadOnlySpan<byte> hash)
    {
        Span<byte> text = stackalloc byte[MaxLength * 3];
        Span<byte> computed = stackalloc byte[HashBytes];
        SHA256.HashData(text[..Encoding.UTF8.GetBytes(key, text)], computed);
        return CryptographicOperations.FixedTimeEquals(computed, hash);
    }
}
