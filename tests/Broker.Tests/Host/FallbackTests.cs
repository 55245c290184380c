using System.Net;
using System.Text;
using System.Text.Json;
using Broker.Http;
using Broker.Settings;
using Broker.Storage.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Xunit;

namespace Broker.Tests.Host;

public sealed class FallbackTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Handlers contract 1.</summary>
    [Fact]
    public async Task Paths_of_the_handlers_dialect_are_refused_in_plain_text()
    {
        await using var host = await MiniHost.StartAsync(Routes);
        using var unknown = await host.Client.GetAsync(new Uri("/handlers/a/b/c", UriKind.Relative), Ct);
        using var method = await host.Client.DeleteAsync(new Uri("/handlers", UriKind.Relative), Ct);

        Assert.Equal((HttpStatusCode.NotFound, "text/plain", "Not Found"), await PlainAsync(unknown));
        Assert.Equal((HttpStatusCode.MethodNotAllowed, "text/plain", "Method Not Allowed"), await PlainAsync(method));
        Assert.Equal(["GET"], method.Content.Headers.Allow);
    }

    [Fact]
    public async Task Other_paths_are_refused_with_problem_details()
    {
        await using var host = await MiniHost.StartAsync(Routes);
        using var unknown = await host.Client.GetAsync(new Uri("/api/unknown", UriKind.Relative), Ct);
        using var method = await host.Client.DeleteAsync(new Uri("/things", UriKind.Relative), Ct);

        Assert.Equal(404, await ProblemAsync(unknown));
        Assert.Equal(405, await ProblemAsync(method));
    }

    [Fact]
    public async Task The_answer_of_a_route_stays_as_it_is()
    {
        await using var host = await MiniHost.StartAsync(Routes);
        using var answer = await host.Client.GetAsync(new Uri("/empty404", UriKind.Relative), Ct);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Null(answer.Content.Headers.ContentType);
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync(Ct));
    }

    [Fact]
    public async Task A_failure_is_a_500_that_shows_only_its_request_id()
    {
        await using var host = await MiniHost.StartAsync(Routes);
        using var answer = await host.Client.GetAsync(new Uri("/fails", UriKind.Relative), Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);

        Assert.Equal(500, await ProblemAsync(answer));
        Assert.DoesNotContain("secret", text, StringComparison.Ordinal);
        Assert.DoesNotContain(" at ", text, StringComparison.Ordinal);
        Assert.Contains(Assert.Single(answer.Headers.GetValues("X-Request-Id")), text, StringComparison.Ordinal);
        Assert.False(answer.Headers.Contains("ETag"));
    }

    [Fact]
    public async Task An_unavailable_store_is_a_503_that_says_when_to_come_again()
    {
        await using var host = await MiniHost.StartAsync(Routes);
        using var answer = await host.Client.GetAsync(new Uri("/down", UriKind.Relative), Ct);

        Assert.Equal(503, await ProblemAsync(answer));
        Assert.Equal(TimeSpan.FromSeconds(2), answer.Headers.RetryAfter?.Delta);
    }

    [Theory]
    [InlineData("/api/down", 503, "The database is away.")]
    [InlineData("/api/fails", 500, "The broker failed. Its log tells more under this request id.")]
    public async Task A_dialect_says_what_failed_in_its_own_form(string path, int status, string told)
    {
        await using var host = await MiniHost.StartAsync(routes => Routes(routes.MapGroup("/api").RefusesWith(ProblemAnswer.Form, (http, status, message) =>
        {
            http.Response.StatusCode = status;
            return http.Response.WriteAsync($"dialect: {message}", Ct);
        })));
        using var answer = await host.Client.GetAsync(new Uri(path, UriKind.Relative), Ct);

        Assert.Equal(((HttpStatusCode)status, null, $"dialect: {told}"), await PlainAsync(answer));
        Assert.Equal(status == 503, answer.Headers.RetryAfter is not null);
        Assert.NotEmpty(answer.Headers.GetValues("X-Request-Id"));
    }

    [Fact]
    public async Task A_request_that_does_not_bind_is_a_400_that_names_the_parameter()
    {
        await using var host = await MiniHost.StartAsync(Routes);
        using var answer = await host.Client.GetAsync(new Uri("/things?count=many", UriKind.Relative), Ct);

        Assert.Equal(400, await ProblemAsync(answer));
        Assert.Contains("count", await answer.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_over_the_limit_is_a_413()
    {
        await using var host = await MiniHost.StartAsync(Routes, new BrokerSettings { MaxBodyBytes = 1024 });
        using var body = new StringContent($"\"{new string('x', 20_000)}\"", Encoding.UTF8, "application/json");
        using var answer = await host.Client.PostAsync(new Uri("/things", UriKind.Relative), body, Ct);

        Assert.Equal(413, await ProblemAsync(answer));
    }

    [Fact]
    public async Task Half_an_answer_does_not_look_like_a_whole_one()
    {
        await using var host = await MiniHost.StartAsync(Routes);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => host.Client.GetStringAsync(new Uri("/half", UriKind.Relative), Ct));
    }

    private static void Routes(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/handlers", () => "handlers");
        routes.MapGet("/things", (int count) => count);
        routes.MapPost("/things", (HttpRequest request) => request.Body.CopyToAsync(Stream.Null, Ct));
        routes.MapGet("/empty404", () => Results.StatusCode(404));
        routes.MapGet("/down", string () => throw new StoreUnavailableException("The database is away.", new IOException()));
        routes.MapGet("/fails", string (HttpResponse response) =>
        {
            response.Headers.ETag = "\"1\"";
            throw new InvalidOperationException("secret");
        });
        routes.MapGet("/half", async (HttpResponse response) =>
        {
            await response.WriteAsync("half", Ct);
            await response.Body.FlushAsync(Ct);
            throw new InvalidOperationException("on purpose");
        });
    }

    private static async Task<(HttpStatusCode Status, string? Type, string Text)> PlainAsync(HttpResponseMessage answer) =>
        (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType, await answer.Content.ReadAsStringAsync(Ct));

    private static async Task<int> ProblemAsync(HttpResponseMessage answer)
    {
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        using var problem = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Ct));
        Assert.Equal((int)answer.StatusCode, problem.RootElement.GetProperty("status").GetInt32());
        Assert.False(string.IsNullOrEmpty(problem.RootElement.GetProperty("detail").GetString()));
        return (int)answer.StatusCode;
    }
}
