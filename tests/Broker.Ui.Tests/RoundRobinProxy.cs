using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Broker.Ui.Tests;

/// <summary>
/// A plain proxy: each request goes to the next broker, whichever connection it came on. It passes streams on as they come, and answers 502
/// where no broker is there.
/// </summary>
public sealed class RoundRobinProxy : IAsyncDisposable
{
    private static readonly string[] OfTheConnection = ["Connection", "Keep-Alive", "Transfer-Encoding"];

    private readonly HttpMessageInvoker client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, AutomaticDecompression = DecompressionMethods.None });
    private readonly List<Uri> brokers;
    private WebApplication? app;
    private int next;

    private RoundRobinProxy(IEnumerable<Uri> brokers) => this.brokers = [.. brokers];

    public Uri Address { get; private set; } = null!;

    public static async Task<RoundRobinProxy> StartAsync(params IEnumerable<Uri> brokers)
    {
        var proxy = new RoundRobinProxy(brokers);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = proxy.app = builder.Build();
        app.Run(proxy.PassAsync);
        await app.StartAsync();
        proxy.Address = new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        return proxy;
    }

    /// <summary>Sends no further request to a broker.</summary>
    public void Remove(Uri broker)
    {
        lock (brokers) brokers.Remove(broker);
    }

    /// <summary>Sends requests to a broker as well.</summary>
    public void Add(Uri broker)
    {
        lock (brokers) brokers.Add(broker);
    }

    public async ValueTask DisposeAsync()
    {
        if (app is not null)
        {
            using var now = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
            await app.StopAsync(now.Token);
            await app.DisposeAsync();
        }

        client.Dispose();
    }

    private Uri? Next()
    {
        lock (brokers) return brokers.Count == 0 ? null : brokers[(int)((uint)Interlocked.Increment(ref next) % brokers.Count)];
    }

    private async Task PassAsync(HttpContext http)
    {
        try
        {
            if (Next() is not { } broker) throw new HttpRequestException("no broker");
            using var request = RequestOf(http, broker);
            using var answer = await client.SendAsync(request, http.RequestAborted);
            http.Response.StatusCode = (int)answer.StatusCode;
            foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers))
            {
                if (!OfTheConnection.Contains(name, StringComparer.OrdinalIgnoreCase)) http.Response.Headers.Append(name, values.ToArray());
            }

            await using var body = await answer.Content.ReadAsStreamAsync(http.RequestAborted);
            var buffer = new byte[16_384];
            int read;
            while ((read = await body.ReadAsync(buffer, http.RequestAborted)) > 0)
            {
                await http.Response.Body.WriteAsync(buffer.AsMemory(0, read), http.RequestAborted);
                await http.Response.Body.FlushAsync(http.RequestAborted);
            }
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException or OperationCanceledException)
        {
            if (http.Response.HasStarted) http.Abort();
            else http.Response.StatusCode = StatusCodes.Status502BadGateway;
        }
    }

    private static HttpRequestMessage RequestOf(HttpContext http, Uri broker)
    {
        var target = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var request = new HttpRequestMessage(new HttpMethod(http.Request.Method), new Uri(broker.GetLeftPart(UriPartial.Authority) + target));
        if (http.Request.ContentLength > 0 || http.Request.Headers.TransferEncoding.Count > 0) request.Content = new StreamContent(http.Request.Body);
        foreach (var (name, values) in http.Request.Headers)
        {
            if (OfTheConnection.Contains(name, StringComparer.OrdinalIgnoreCase)) continue;
            if (!request.Headers.TryAddWithoutValidation(name, values.ToArray())) request.Content?.Headers.TryAddWithoutValidation(name, values.ToArray());
        }

        return request;
    }
}
