using Broker.Tests.App;
using Xunit;

namespace Broker.Tests.Operators;

/// <summary>Pages of other sites at the API for operators.</summary>
public sealed class OperatorOriginTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("*")]
    [InlineData("https://console.example")]
    public async Task No_answer_allows_another_origin_to_read_it(string listed)
    {
        await using var broker = await OwnBroker.StartAsync($"--CORS_ORIGINS={listed}");
        foreach (var (method, path) in new[] { ("GET", "/api/v1/runs"), ("OPTIONS", "/api/v1/runs"), ("GET", "/api/v1/nothing") })
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), path);
            request.Headers.Add("Origin", "https://console.example");
            request.Headers.Add("Access-Control-Request-Method", "GET");
            using var answer = await broker.Client.SendAsync(request, Ct);
            Assert.DoesNotContain(answer.Headers, header => header.Key.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase));
        }

        using var other = new HttpRequestMessage(HttpMethod.Get, "/api/workflows");
        other.Headers.Add("Origin", "https://console.example");
        using var allowed = await broker.Client.SendAsync(other, Ct);
        Assert.True(allowed.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task A_foreign_host_is_refused_while_no_key_is_required()
    {
        await using var broker = await OwnBroker.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/runs");
        request.Headers.Host = "rebound.example";
        using var answer = await broker.Client.SendAsync(request, Ct);
        Assert.Equal((403, "application/problem+json"), ((int)answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
    }
}
