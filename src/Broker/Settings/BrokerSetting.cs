using Broker.Auth;

namespace Broker.Settings;

/// <summary>The broker's whole configuration, as read.</summary>
/// <param name="Settings">Settings but those of keys.</param>
/// <param name="Auth">Settings of keys.</param>
/// <param name="Problem">Message on wrong values and what to write instead; null when all are right.</param>
/// <param name="Warnings">Values that count as something else.</param>
internal sealed record BrokerSetting(BrokerSettings Settings, AuthSettings Auth, string? Problem, IReadOnlyList<string> Warnings)
{
    /// <param name="configuration">Has the settings.</param>
    /// <param name="isEmbedded">An application around the broker listens, not the broker's program.</param>
    public static BrokerSetting Read(IConfiguration configuration, bool isEmbedded)
    {
        var keys = new ReadKeys(configuration);
        var read = SettingsReader.Read(keys, isEmbedded);
        var (auth, problems) = AuthSettingsReader.Read(keys);
        return new(read.Settings, auth, (read with { Problems = [.. read.Problems, .. problems, .. keys.Problems()] }).Message, read.Warnings);
    }
}
