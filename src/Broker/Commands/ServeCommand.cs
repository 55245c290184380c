using Broker.Operations;
using Broker.Startup;

namespace Broker.Commands;

/// <summary>Serves until a signal ends the process.</summary>
internal static class ServeCommand
{
    /// <param name="settings">Settings of the command line.</param>
    /// <param name="errors">Gets the reason of a refused start.</param>
    /// <param name="listening">Called with the address in place of the banner; null: the banner.</param>
    /// <returns>Exit code: 0 after a signal, 1 when the broker could not start.</returns>
    public static async Task<int> RunAsync(string[] settings, TextWriter errors, Action<string>? listening = null)
    {
        if (await CommandSettings.ReadAsync(settings, errors) is not { } setting) return 1;
        try
        {
            var (app, _, problem) = BrokerHost.Create(setting);
            if (app is null)
            {
                await errors.WriteLineAsync(problem);
                return 1;
            }

            await using (app) return await ServeAsync(app, listening) is { } refusal ? await RefuseAsync(refusal) : 0;
        }
        catch (Exception fault)
        {
            return await RefuseAsync(fault);
        }

        async Task<int> RefuseAsync(Exception fault)
        {
            await errors.WriteLineAsync(StartFaults.MessageOf(fault, setting.Settings) ?? fault.ToString());
            return 1;
        }
    }

    /// <summary>Returns after a signal, with null; or with the fault that ended the start.</summary>
    private static async Task<Exception?> ServeAsync(WebApplication app, Action<string>? listening)
    {
        var lifetime = app.Lifetime;
        var gate = app.Services.GetRequiredService<StartGate>();
        app.AnnounceAddress(listening);
        try
        {
            await app.StartAsync();
        }
        catch (Exception fault)
        {
            // Running services stop before their dependencies are disposed of. A host without any services yet throws.
            var signalled = fault is OperationCanceledException && lifetime.ApplicationStopping.IsCancellationRequested;
            await app.StopAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return signalled ? null : fault;
        }

        await app.WaitForShutdownAsync();
        return gate.Refusal;
    }
}
