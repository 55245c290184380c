using System.Text.Json;
using System.Text.Json.Serialization;

namespace Broker.Cli;

/// <summary>A broker that the user has named.</summary>
internal sealed record Profile
{
    /// <summary>Address of the broker.</summary>
    public string? Server { get; init; }

    /// <summary>File with the API key.</summary>
    public string? KeyFile { get; init; }

    /// <summary>Command whose output is the API key.</summary>
    public string? KeyCommand { get; init; }
}

/// <summary>Content of the configuration file.</summary>
internal sealed record ProfileFile
{
    /// <summary>Name of the profile in use.</summary>
    public string? Use { get; init; }

    /// <summary>Profiles by name.</summary>
    public SortedDictionary<string, Profile> Profiles { get; init; } = new(StringComparer.Ordinal);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, WriteIndented = true, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(ProfileFile))]
internal sealed partial class ProfileJson : JsonSerializerContext;

/// <summary>The configuration file, <c>broker/config.json</c> in the user's configuration folder, and the key files beside it.</summary>
internal static class Profiles
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public static string Folder => Path.Combine(
        Environment.GetEnvironmentVariable("XDG_CONFIG_HOME") is { Length: > 0 } given ? given : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".config"), "broker");

    private static string File => Path.Combine(Folder, "config.json");

    /// <summary>Reads the file; an empty one where there is none.</summary>
    public static ProfileFile Read()
    {
        try
        {
            return JsonSerializer.Deserialize(System.IO.File.ReadAllBytes(File), ProfileJson.Default.ProfileFile) ?? new();
        }
        catch (Exception none) when (none is FileNotFoundException or DirectoryNotFoundException)
        {
            return new();
        }
        catch (Exception fault) when (fault is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCodes.Usage, $"{File}: {fault.Message}");
        }
    }

    public static void Write(ProfileFile content) => WriteOwned(File, JsonSerializer.SerializeToUtf8Bytes(content, ProfileJson.Default.ProfileFile));

    /// <summary>Stores a key where only the user reads it, and returns the path.</summary>
    public static string WriteKey(string profile, string key)
    {
        var path = Path.Combine(Folder, "keys", profile);
        WriteOwned(path, System.Text.Encoding.UTF8.GetBytes(key));
        return path;
    }

    /// <summary>The profile that is meant: the named one, else the one in use; null: neither.</summary>
    public static Profile? Find(string? name)
    {
        var content = Read();
        if ((name ?? content.Use) is not { } wanted) return null;
        return content.Profiles.GetValueOrDefault(wanted)
            ?? throw new CliException(ExitCodes.Usage, $"there is no profile '{wanted}': broker profile set {wanted} --server URL makes one");
    }

    /// <summary>A name is a file's name too.</summary>
    public static bool IsName(string name) => name.Length is > 0 and <= 64 && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_');

    // A new file beside the old one, so that neither a crash nor a second command leaves half of one.
    private static void WriteOwned(string path, byte[] content)
    {
        try
        {
            var folder = Path.GetDirectoryName(path)!;
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
            else Directory.CreateDirectory(folder, OwnerOnly | UnixFileMode.UserExecute);
            var fresh = $"{path}.{Guid.NewGuid():N}";
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;
            using (var stream = new FileStream(fresh, options)) stream.Write(content);
            System.IO.File.Move(fresh, path, overwrite: true);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCodes.Usage, $"{path}: {fault.Message}");
        }
    }
}
