namespace Broker.Storage.Contracts;

/// <summary>A value as it may be read, and whether it should be written anew under the present key.</summary>
public readonly record struct Deciphered(string Text, bool IsStale);

/// <summary>Encrypts what must not lie readable in the database. The host brings it: keys are a matter of its surroundings.</summary>
public interface ICredentialCipher
{
    string Encrypt(string text);

    /// <exception cref="CredentialsUnreadableException">The key that it was encrypted with is not to be had.</exception>
    Deciphered Decrypt(string encrypted);
}

/// <summary>Stored credentials cannot be decrypted: the key ring was lost, or is another broker's.</summary>
public sealed class CredentialsUnreadableException(string message, Exception inner) : Exception(message, inner);
