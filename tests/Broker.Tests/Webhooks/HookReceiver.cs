using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Broker.Tests.Webhooks;

/// <summary>A message that arrived.</summary>
internal sealed record Received(string Path, string Id, string Timestamp, string Signature, string Body)
{
    /// <summary>Whether the signature is of this secret, as Standard Webhooks says.</summary>
    public bool IsSignedBy(string secret)
    {
        var hash = HMACSHA256.HashData(Convert.FromBase64String(secret["whsec_".Length..]), Encoding.UTF8.GetBytes($"{Id}.{Timestamp}.{Body}"));
        return Signature == $"v1,{Convert.ToBase64String(hash)}" && long.Parse(Timestamp, CultureInfo.InvariantCulture) > 1_600_000_000;
    }
}

/// <summary>A receiver on a loopback port. Its answers are the test's.</summary>
internal sealed class HookReceiver : IAsyncDisposable
{
    private readonly WebApplication app;

    private HookReceiver(WebApplication app) => this.app = app;

    public ConcurrentQueue<Received> Messages { get; } = [];

    /// <summary>Answers by path; without one it is 204.</summary>
    public ConcurrentDictionary<string, Func<HttpContext, Task>> Answers { get; } = new(StringComparer.Ordinal);

    public Uri Address { get; private set; } = null!;

    public static async Task<HookReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var receiver = new HookReceiver(builder.Build());
        receiver.app.Run(receiver.ReceiveAsync);
        await receiver.app.StartAsync(TestContext.Current.CancellationToken);
        receiver.Address = new Uri(receiver.app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        return receiver;
    }

    private async Task ReceiveAsync(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body);
        var body = await reader.ReadToEndAsync();
        string Header(string name) => http.Request.Headers[name].ToString();
        Messages.Enqueue(new(http.Request.Path, Header("webhook-id"), Header("webhook-timestamp"), Header("webhook-signature"), body));
        http.Response.StatusCode = 204;
        if (Answers.TryGetValue(http.Request.Path, out var answer)) await answer(http);
    }

    public IReadOnlyList<Received> At(string path) => [.. Messages.Where(message => message.Path == path)];

    /// <summary>Waits for so many messages at a path.</summary>
    public async Task<IReadOnlyList<Received>> WaitAsync(string path, int count)
    {
        await Testing.Eventually.TrueAsync(() => Task.FromResult(At(path).Count >= count), TimeSpan.FromSeconds(60));
        return At(path);
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await app.StopAsync(now.Token);
        await app.DisposeAsync();
    }
}
