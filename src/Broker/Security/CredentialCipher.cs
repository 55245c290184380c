using System.Security.Cryptography;
using System.Text;
using Broker.Settings;
using Broker.Storage.Contracts;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.WebUtilities;

namespace Broker.Security;

/// <summary>
/// Encrypts credentials with ASP.NET Core data protection. The first use makes the key ring, in a container of its own. A broker
/// without credentials therefore writes no key and reads none at its start.
/// </summary>
internal sealed partial class CredentialCipher : ICredentialCipher, IDisposable
{
    private const string Purpose = "Broker.Repository.Credentials";

    // Another broker may have added a key since the ring was read. The cipher reads the ring again, but not for every unreadable row.
    private static readonly TimeSpan BetweenReloads = TimeSpan.FromSeconds(5);

    private readonly Func<ServiceProvider> open;
    private readonly TimeProvider clock;
    private readonly ILogger log;
    private readonly Lock gate = new();
    private ServiceProvider? ring;
    private IPersistedDataProtector? protector;
    private long openedAt;

    internal CredentialCipher(Func<ServiceProvider> open, TimeProvider clock, ILogger log) => (this.open, this.clock, this.log) = (open, clock, log);

    public static CredentialCipher Create(IServiceProvider services, BrokerSettings settings, DatabaseTarget target)
    {
        var place = DataProtectionKeys.PlaceOf(settings.DataProtection, target);
        var log = services.GetRequiredService<ILogger<CredentialCipher>>();
        var cipher = new CredentialCipher(
            () =>
            {
                if (settings.DataProtection.Secret is null && place.Folder is null) LogReadableRing(log);
                return DataProtectionKeys.Open(settings.DataProtection, place, services.GetRequiredService<IDataKeyStore>(), services.GetRequiredService<ILoggerFactory>());
            },
            services.GetRequiredService<TimeProvider>(),
            log);
        services.GetRequiredService<IStoreEpoch>().Changed += cipher.Forget;
        return cipher;
    }

    /// <summary>The database has another history: a key that is not in it must encrypt nothing more, since no restart would find it.</summary>
    public void Forget()
    {
        lock (gate) Drop();
    }

    public string Encrypt(string text) => WebEncoders.Base64UrlEncode(Protector().Protect(Encoding.UTF8.GetBytes(text)));

    public Deciphered Decrypt(string encrypted)
    {
        byte[] bytes;
        try
        {
            bytes = WebEncoders.Base64UrlDecode(encrypted);
        }
        catch (FormatException broken)
        {
            throw Unreadable(broken);
        }

        try
        {
            return Open(bytes);
        }
        catch (CryptographicException) when (TryReload())
        {
            try
            {
                return Open(bytes);
            }
            catch (CryptographicException lost)
            {
                throw Unreadable(lost);
            }
        }
        catch (CryptographicException lost)
        {
            throw Unreadable(lost);
        }
    }

    public void Dispose() => ring?.Dispose();

    // A revoked key still decrypts its values: such a value is encrypted anew under the present key.
    private Deciphered Open(byte[] bytes)
    {
        var text = Protector().DangerousUnprotect(bytes, ignoreRevocationErrors: true, out var isOld, out var isRevoked);
        return new(Encoding.UTF8.GetString(text), isOld || isRevoked);
    }

    private IPersistedDataProtector Protector()
    {
        lock (gate)
        {
            if (protector is not null) return protector;
            ring = open();
            openedAt = clock.GetTimestamp();
            return protector = (IPersistedDataProtector)ring.GetDataProtector(Purpose);
        }
    }

    private bool TryReload()
    {
        lock (gate)
        {
            if (protector is null || clock.GetElapsedTime(openedAt) < BetweenReloads) return false;
            Drop();
            return true;
        }
    }

    private void Drop()
    {
        ring?.Dispose();
        (ring, protector) = (null, null);
    }

    private static CredentialsUnreadableException Unreadable(Exception fault) => new(
        "Stored credentials cannot be decrypted: the key ring (Broker:DataProtection) is not the one that they were encrypted with, or its secret has changed. "
        + "Restore the ring, or register the repositories anew.",
        fault);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The key ring for repository credentials lies unencrypted in the database that it protects: a reader of the whole database can decrypt the credentials. Set Broker:DataProtection:Secret (the same on all brokers), or Broker:DataProtection:KeyRing to a folder that they share")]
    private static partial void LogReadableRing(ILogger logger);
}
