using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Broker.Faults.Harness;

/// <summary>Sends each request until there is an answer below 500, to the next broker after each failure, as real clients do.</summary>
/// <param name="brokers">Addresses of the brokers.</param>
/// <param name="random">Pause between two attempts: 20 to 120 ms.</param>
/// <param name="defect">Called for each 5xx that does not say "try again later".</param>
/// <param name="outage">Called for each failed attempt, with the number of failed attempts of this request.</param>
/// <param name="first">Number of the broker to begin with.</param>
internal sealed class RetryingClient(IReadOnlyList<Uri> brokers, Random random, Action<string> defect, Action<int> outage, int first) : IDisposable
{
    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(10);

    private readonly HttpClient http = new() { Timeout = WaitLimit };
    private int broker = first;

    /// <summary>When the last attempt was made.</summary>
    public long Sent { get; private set; }

    /// <summary>The next request goes to the next broker.</summary>
    public void MoveOn() => broker++;

    public async Task<(HttpStatusCode Status, JsonNode? Json, bool Broke)> PostAsync(string path, string body, CancellationToken ct, string? key = null)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(brokers[broker % brokers.Count], path))
                {
                    Content = new StringContent(body, Encoding.UTF8, "application/json"),
                };
                if (key is not null) request.Headers.Add("Idempotency-Key", key);
                Sent = Stopwatch.GetTimestamp();
                using var response = await http.SendAsync(request, ct);
                var text = await response.Content.ReadAsStringAsync(ct);
                var status = response.StatusCode;
                if ((int)status < 500) return (status, text.Length == 0 || !response.IsSuccessStatusCode ? null : JsonNode.Parse(text), attempt > 1);
                if (status is not HttpStatusCode.ServiceUnavailable) defect($"{path}: {status} {text}");
            }
            catch (Exception e) when (e is HttpRequestException or IOException || (e is OperationCanceledException && !ct.IsCancellationRequested))
            {
            }

            outage(attempt);
            MoveOn();
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(20, 120)), TimeProvider.System, ct);
        }
    }

    public void Dispose() => http.Dispose();
}
