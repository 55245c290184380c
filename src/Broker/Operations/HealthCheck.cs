using System.Net;
using Broker.Settings;

namespace Broker.Operations;

/// <summary><c>dotnet Broker.dll --healthcheck</c>: asks the broker in the same container whether it is ready, for images without curl.</summary>
internal static class HealthCheck
{
    public const string Argument = "--healthcheck";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>0 when ready, 1 otherwise: the exit codes of a container's health check.</summary>
    public static async Task<int> RunAsync(BrokerSettings settings)
    {
        var address = IPAddress.Parse(settings.Host);
        if (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)) address = IPAddress.Loopback;
        using var client = new HttpClient { Timeout = Patience };
        try
        {
            using var answer = await client.GetAsync(new Uri($"http://{new IPEndPoint(address, settings.Port)}{Probes.Ready}"));
            Console.Out.WriteLine(await answer.Content.ReadAsStringAsync());
            return answer.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception fault) when (fault is HttpRequestException or OperationCanceledException)
        {
            Console.Error.WriteLine($"Not ready: {fault.Message}");
            return 1;
        }
    }
}
