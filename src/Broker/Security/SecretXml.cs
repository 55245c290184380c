using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;

namespace Broker.Security;

/// <summary>The configured secrets: the present one, and the one before it.</summary>
internal sealed record KeySecrets(string Present, string? Previous);

/// <summary>Encrypts keys of the ring with AES-GCM under a key made from a configured secret.</summary>
internal sealed class SecretXmlEncryptor(string secret) : IXmlEncryptor
{
    public EncryptedXmlInfo Encrypt(XElement plaintextElement)
    {
        var plain = Encoding.UTF8.GetBytes(plaintextElement.ToString(SaveOptions.DisableFormatting));
        var salt = RandomNumberGenerator.GetBytes(SecretXml.SaltBytes);
        var sealedBytes = new byte[SecretXml.NonceBytes + plain.Length + SecretXml.TagBytes];
        var nonce = sealedBytes.AsSpan(0, SecretXml.NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(SecretXml.KeyOf(secret, salt), SecretXml.TagBytes);
        aes.Encrypt(nonce, plain, sealedBytes.AsSpan(SecretXml.NonceBytes, plain.Length), sealedBytes.AsSpan(SecretXml.NonceBytes + plain.Length));
        CryptographicOperations.ZeroMemory(plain);
        return new(
            new XElement(
                SecretXml.Element,
                new XElement(SecretXml.Salt, Convert.ToBase64String(salt)),
                new XElement(SecretXml.Value, Convert.ToBase64String(sealedBytes))),
            typeof(SecretXmlDecryptor));
    }
}

/// <summary>Made by the framework, which finds its name in the stored key.</summary>
internal sealed class SecretXmlDecryptor(IServiceProvider services) : IXmlDecryptor
{
    public XElement Decrypt(XElement encryptedElement)
    {
        var secrets = services.GetService<KeySecrets>()
            ?? throw new CryptographicException("The key ring is encrypted; set Broker:DataProtection:Secret to the secret that it was made with.");
        var salt = Convert.FromBase64String((string)encryptedElement.Element(SecretXml.Salt)!);
        var value = Convert.FromBase64String((string)encryptedElement.Element(SecretXml.Value)!);
        try
        {
            return Open(secrets.Present, salt, value);
        }
        catch (CryptographicException) when (secrets.Previous is not null)
        {
            return Open(secrets.Previous, salt, value);
        }
    }

    private static XElement Open(string secret, byte[] salt, byte[] value)
    {
        var plain = new byte[value.Length - SecretXml.NonceBytes - SecretXml.TagBytes];
        using var aes = new AesGcm(SecretXml.KeyOf(secret, salt), SecretXml.TagBytes);
        aes.Decrypt(
            value.AsSpan(0, SecretXml.NonceBytes), value.AsSpan(SecretXml.NonceBytes, plain.Length), value.AsSpan(SecretXml.NonceBytes + plain.Length), plain);
        return XElement.Parse(Encoding.UTF8.GetString(plain));
    }
}

internal static class SecretXml
{
    public const string Element = "secretEncrypted", Salt = "salt", Value = "value";
    public const int SaltBytes = 16, NonceBytes = 12, TagBytes = 16, KeyBytes = 32;

    // Slow on purpose, for secrets that can be guessed: a guess costs about 100 ms. The ring is read about once a day.
    private const int Rounds = 200_000;

    public static byte[] KeyOf(string secret, byte[] salt) => Rfc2898DeriveBytes.Pbkdf2(secret, salt, Rounds, HashAlgorithmName.SHA256, KeyBytes);
}
