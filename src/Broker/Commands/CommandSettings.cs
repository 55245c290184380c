using Broker.Startup;

namespace Broker.Commands;

/// <summary>The settings that a command works with.</summary>
internal static class CommandSettings
{
    /// <summary>Null when they are wrong, after saying so.</summary>
    public static async Task<HostSetting?> ReadAsync(string[] args, TextWriter errors)
    {
        try
        {
            var setting = BrokerHost.Configure(args);
            foreach (var warning in setting.Broker.Warnings) await errors.WriteLineAsync($"Warning: {warning}");
            if (setting.Broker.Problem is not { } problem) return setting;
            await errors.WriteLineAsync(problem);
        }
        catch (Exception fault) when (StartFaults.MessageOf(fault) is { } message)
        {
            await errors.WriteLineAsync(message);
        }

        return null;
    }
}
