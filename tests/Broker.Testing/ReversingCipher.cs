using System.Security.Cryptography;
using System.Text;
using Broker.Storage.Contracts;

namespace Broker.Testing;

/// <summary>A cipher for tests of the stores: its text differs from the clear one and names its key.</summary>
public sealed class ReversingCipher : ICredentialCipher
{
    public string Key { get; set; } = "first";

    /// <summary>Keys that are gone.</summary>
    public ISet<string> Lost { get; } = new HashSet<string>();

    public string Encrypt(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Array.Reverse(bytes);
        return $"{Key}.{Convert.ToHexString(bytes)}";
    }

    public Deciphered Decrypt(string encrypted)
    {
        var parts = encrypted.Split('.');
        if (Lost.Contains(parts[0])) throw new CredentialsUnreadableException("The key is lost.", new CryptographicException());
        var bytes = Convert.FromHexString(parts[1]);
        Array.Reverse(bytes);
        return new(Encoding.UTF8.GetString(bytes), parts[0] != Key);
    }
}
