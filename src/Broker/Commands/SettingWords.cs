using Broker.Settings;

namespace Broker.Commands;

/// <summary>Parts a command line into settings, which the configuration reads, and the words of the command itself.</summary>
internal static class SettingWords
{
    public static (string[] Settings, string[] Words) Split(string[] args)
    {
        var (settings, words) = (new List<string>(), new List<string>());
        for (var i = 0; i < args.Length; i++)
        {
            var name = args[i].StartsWith("--", StringComparison.Ordinal) ? args[i][2..] : args[i];
            var end = name.IndexOf('=', StringComparison.Ordinal);
            if (end >= 0 && SettingsReader.IsKey(name[..end])) settings.Add(args[i]);
            else if (end < 0 && args[i] != name && SettingsReader.IsKey(name) && i + 1 < args.Length) settings.AddRange([args[i], args[++i]]);
            else words.Add(args[i]);
        }

        return ([.. settings], [.. words]);
    }
}
