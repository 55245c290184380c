using System.Net;
using Broker.Operations;

namespace Broker.Commands;

/// <summary>Asks the broker in the same container whether it is ready, for images without curl.</summary>
internal static class HealthCheckCommand
{
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(5);

    /// <summary>0 when ready, 1 otherwise: the exit codes of a container's health check.</summary>
    public static async Task<int> RunAsync(string[] settings, TextWriter output, TextWriter errors)
    {
        if (await CommandSettings.ReadAsync(settings, errors) is not { } setup) return 1;

        var address = IPAddress.Parse(setup.Settings.Host);
        if (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)) address = IPAddress.Loopback;
        using var client = new HttpClient { Timeout = AnswerTimeout };
        try
        {
            using var answer = await client.GetAsync(new Uri($"http://{new IPEndPoint(address, setup.Settings.Port)}{Probes.Ready}"));
            await output.WriteLineAsync(await answer.Content.ReadAsStringAsync());
            return answer.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception fault) when (fault is HttpRequestException or OperationCanceledException)
        {
            await errors.WriteLineAsync($"Not ready: {fault.Message}");
            return 1;
        }
    }
}
