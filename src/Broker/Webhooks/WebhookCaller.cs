using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Broker.Operations;
using Broker.Settings;
using Broker.Storage.Contracts;
using Polly;
using Polly.Registry;
using Polly.Timeout;

namespace Broker.Webhooks;

/// <summary>Posts one message to one address, and reads no more than the head of the answer.</summary>
internal sealed class WebhookCaller : IDisposable
{
    private const int AnswerHeadKilobytes = 16;

    // Bytes behind the head that are read, so that the connection can be kept.
    private const int AnswerBytes = 16 * 1024;
    private const int Connections = 8;

    private static readonly TimeSpan Connect = TimeSpan.FromSeconds(5);

    private readonly bool allowsPrivate;
    private readonly TimeProvider clock;
    private readonly ICredentialCipher cipher;
    private readonly HttpClient http;
    private readonly ResiliencePipeline<HttpStatusCode> pipeline;

    public WebhookCaller(BrokerSettings settings, ICredentialCipher cipher, ResiliencePipelineProvider<string> pipelines, TimeProvider clock)
    {
        (allowsPrivate, this.cipher, this.clock) = (settings.Webhooks.AllowPrivate, cipher, clock);
        pipeline = pipelines.GetPipeline<HttpStatusCode>(RetryPipelines.WebhookCall);
        http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            ActivityHeadersPropagator = null,
            ConnectTimeout = Connect,
            MaxConnectionsPerServer = Connections,
            MaxResponseHeadersLength = AnswerHeadKilobytes,
            MaxResponseDrainSize = AnswerBytes,
            ResponseDrainTimeout = TimeSpan.FromSeconds(1),
            PooledConnectionLifetime = TimeSpan.FromMinutes(1),
            ConnectCallback = ConnectAsync,
        });
        http.Timeout = Timeout.InfiniteTimeSpan;
    }

    /// <summary>Sends the message; never throws but for a cancellation.</summary>
    public async Task<AttemptResult> SendAsync(StoredWebhook webhook, StoredDelivery delivery, CancellationToken ct)
    {
        var began = clock.GetTimestamp();
        AttemptResult Ended(HttpStatusCode? status, string? error) => new((int?)status, error, (int)clock.GetElapsedTime(began).TotalMilliseconds);
        try
        {
            var secret = cipher.Decrypt(webhook.Secret).Text;
            var status = await pipeline.ExecuteAsync(async token => await PostAsync(webhook.Url, secret, delivery, token), ct);
            if (status is >= HttpStatusCode.OK and < HttpStatusCode.MultipleChoices) return Ended(status, null);
            var error = (int)status is >= 300 and < 400 ? "redirects are not followed" : "the receiver refused it";
            return Ended(status, error) with { Disable = status is HttpStatusCode.Gone ? "The receiver answered 410 Gone." : null };
        }
        catch (TimeoutRejectedException)
        {
            return Ended(null, string.Create(CultureInfo.InvariantCulture, $"no answer within {RetryPipelines.WebhookTimeout.TotalSeconds} s"));
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException)
        {
            return Ended(null, fault.InnerException is AddressRefusedException refused ? refused.Message : fault.Message);
        }
        catch (CredentialsUnreadableException)
        {
            return Ended(null, "the secret cannot be decrypted: the key ring is not the one that it was encrypted with");
        }
    }

    private async Task<HttpStatusCode> PostAsync(string url, string secret, StoredDelivery delivery, CancellationToken ct)
    {
        var timestamp = clock.GetUtcNow().ToUnixTimeSeconds();
        using var request = new HttpRequestMessage(HttpMethod.Post, url);
        request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(delivery.BodyJson)) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        request.Headers.Add("User-Agent", "Broker-Webhooks");
        request.Headers.Add("webhook-id", delivery.MessageId);
        request.Headers.Add("webhook-timestamp", timestamp.ToString(CultureInfo.InvariantCulture));
        request.Headers.Add("webhook-signature", WebhookSignature.Of(secret, delivery.MessageId, timestamp, delivery.BodyJson));
        using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        return answer.StatusCode;
    }

    // The address that was checked is the one that is connected to: a name that resolves to another one later does not count.
    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken ct)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await Dns.GetHostAddressesAsync(host, ct);
        var allowed = allowsPrivate ? addresses : [.. addresses.Where(AddressRule.IsPublic)];
        if (allowed.Length == 0) throw new AddressRefusedException(host);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, port, ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public void Dispose() => http.Dispose();
}
