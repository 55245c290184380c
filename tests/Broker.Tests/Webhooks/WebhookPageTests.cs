using System.Diagnostics;
using Broker.Testing;
using Broker.Tests.App;
using Broker.Tests.BrokerDialect;
using Xunit;

namespace Broker.Tests.Webhooks;

/// <summary>The receiver of docs/webhooks.md, as a program of its own.</summary>
public sealed class WebhookPageTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_receiver_of_the_page_takes_signed_messages_alone()
    {
        using var folder = new TempFolder();
        var page = await File.ReadAllTextAsync(Path.Combine(RepositoryLayout.Root, "docs/webhooks.md"), Ct);
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "receiver.py"), page.Split("```python\n")[1].Split("```")[0], Ct);
        await using var broker = await OwnBroker.StartAsync("--Broker:Webhooks:AllowPrivate=true");
        var (wire, port) = (new Wire(broker.Client), LoopbackPort.Choose());
        var made = await wire.PostAsync("/api/v1/webhooks", $$"""{"url":"http://127.0.0.1:{{port}}/","events":["run.succeeded"]}""");
        var id = made.Json.GetProperty("id").GetString();
        using var receiver = Start(folder.Path, port, made.Json.GetProperty("secret").GetString()!);
        try
        {
            using var client = new HttpClient();
            await Eventually.TrueAsync(async () => await StatusAsync(client, port) == 401, TimeSpan.FromSeconds(60));
            await wire.PostAsync($"/api/v1/webhooks/{id}/test", "");
            Assert.Equal("webhook.test", await receiver.StandardOutput.ReadLineAsync(Ct));
            var flow = Flows.Single(Flows.NewName("paged"));
            var worker = await wire.RegisterAsync(flow);
            await wire.DispatchAsync(flow);
            await wire.ReportAsync(worker, await wire.MustClaimAsync(worker), "SUCCEEDED");
            Assert.Equal("run.succeeded", await receiver.StandardOutput.ReadLineAsync(Ct));
        }
        finally
        {
            receiver.Kill();
            await receiver.WaitForExitAsync(CancellationToken.None);
        }
    }

    // A message that this test signed with no secret.
    private static async Task<int> StatusAsync(HttpClient client, int port)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"http://127.0.0.1:{port}/")) { Content = new StringContent("{}") };
        request.Headers.Add("webhook-id", "msg_forged");
        request.Headers.Add("webhook-timestamp", "1893456000");
        request.Headers.Add("webhook-signature", "v1,AAAA");
        try
        {
            using var answer = await client.SendAsync(request, Ct);
            return (int)answer.StatusCode;
        }
        catch (HttpRequestException)
        {
            return 0;
        }
    }

    private static Process Start(string folder, int port, string secret)
    {
        var start = new ProcessStartInfo("python3", [Path.Combine(folder, "receiver.py"), $"{port}"]) { RedirectStandardOutput = true };
        start.Environment["WEBHOOK_SECRET"] = secret;
        return Process.Start(start)!;
    }
}
