using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Broker.Webhooks;

/// <summary>Signatures of Standard Webhooks: HMAC-SHA256 over id, timestamp and body.</summary>
internal static class WebhookSignature
{
    private const string Prefix = "whsec_";
    private const int SecretBytes = 32;

    /// <summary>A new secret of 256 random bits.</summary>
    public static string NewSecret() => Prefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(SecretBytes));

    /// <summary>Value of the header <c>webhook-signature</c>.</summary>
    public static string Of(string secret, string messageId, long timestamp, string body)
    {
        var key = Convert.FromBase64String(secret[Prefix.Length..]);
        var signed = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{messageId}.{timestamp}.{body}"));
        return $"v1,{Convert.ToBase64String(HMACSHA256.HashData(key, signed))}";
    }
}
