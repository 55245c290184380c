namespace Broker.Commands;

/// <summary>The settings that a command works with.</summary>
internal static class CommandSettings
{
    /// <summary>Null when they are wrong, after saying so.</summary>
    public static async Task<HostSetting?> ReadAsync(string[] args, TextWriter errors)
    {
        var setup = BrokerHost.Configure(args);
        if (setup.Problem is null) return setup;
        await errors.WriteLineAsync(setup.Problem);
        return null;
    }
}
