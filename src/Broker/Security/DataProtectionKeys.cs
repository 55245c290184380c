using System.Xml.Linq;
using Broker.Settings;
using Broker.Storage.Contracts;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;

namespace Broker.Security;

/// <summary>Where a key ring is: a folder, or (null) the database.</summary>
internal readonly record struct KeyRingPlace(string? Folder);

/// <summary>
/// The keys for stored credentials. With SQLite they lie in a folder beside the file, so that a copy of the file alone reveals no credential.
/// With PostgreSQL they lie in the database: all brokers reach it without further setup, and each must read what the others wrote.
/// There a secret from the settings encrypts them, so that neither the database nor a backup of it is enough.
/// </summary>
internal static partial class DataProtectionKeys
{
    // A fixed name replaces the content root, the framework's default: brokers of one database may be installed in different places.
    private const string Application = "broker";

    public static KeyRingPlace PlaceOf(DataProtectionSettings settings, DatabaseTarget target) =>
        new(settings.KeyRing ?? (target.SqlitePath is { } path ? Path.ChangeExtension(Path.GetFullPath(path), ".keys") : null));

    public static ServiceProvider Open(DataProtectionSettings settings, KeyRingPlace place, IDataKeyStore keys, ILoggerFactory logs)
    {
        var services = new ServiceCollection();
        services.AddSingleton(logs);
        services.AddSingleton(typeof(ILogger<>), typeof(Logger<>));
        services.AddDataProtection().SetApplicationName(Application);
        if (place.Folder is { } folder) services.Configure<KeyManagementOptions>(options => options.XmlRepository = new KeysInFolder(PrivateFiles.CreateFolder(folder), logs));
        else services.Configure<KeyManagementOptions>(options => options.XmlRepository = new KeysInDatabase(keys));

        if (settings.Secret is { } secret)
        {
            services.AddSingleton(new KeySecrets(secret, settings.PreviousSecret));
            services.Configure<KeyManagementOptions>(options => options.XmlEncryptor = new SecretXmlEncryptor(secret));
        }

        return services.BuildServiceProvider();
    }

    /// <summary>The framework opens any file of that name: a FIFO among them would hold up every use of credentials.</summary>
    private sealed partial class KeysInFolder(DirectoryInfo folder, ILoggerFactory logs) : FileSystemXmlRepository(folder, logs)
    {
        // A key has about 1 KB.
        private const int MaxBytes = 1 << 20;

        private readonly ILogger log = logs.CreateLogger<KeysInFolder>();

        public override IReadOnlyCollection<XElement> GetAllElements() =>
            [.. System.IO.Directory.EnumerateFiles(Directory.FullName, "*.xml").Select(Read).OfType<XElement>()];

        private XElement? Read(string path)
        {
            try
            {
                var (file, _) = RegularFile.Open(path);
                using var stream = new FileStream(file, FileAccess.Read);
                if (stream.Length <= MaxBytes) return XElement.Load(stream);
                LogLeftOut(log, path, $"it has more than {MaxBytes} bytes");
            }
            catch (IOException fault)
            {
                LogLeftOut(log, path, fault.Message);
            }

            return null;
        }

        [LoggerMessage(Level = LogLevel.Warning, Message = "{Path} is no key of the ring: {Reason}")]
        private static partial void LogLeftOut(ILogger logger, string path, string reason);
    }

    private sealed class KeysInDatabase(IDataKeyStore keys) : IXmlRepository
    {
        public IReadOnlyCollection<XElement> GetAllElements() => [.. keys.All().Select(XElement.Parse)];

        // The friendly name is a key's id; a revocation has one of its own.
        public void StoreElement(XElement element, string friendlyName) =>
            keys.Add(string.IsNullOrEmpty(friendlyName) ? Guid.NewGuid().ToString("N") : friendlyName, element.ToString(SaveOptions.DisableFormatting));
    }
}
