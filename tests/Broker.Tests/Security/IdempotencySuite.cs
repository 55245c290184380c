using System.Text;
using Broker.Storage.Contracts;
using Broker.Testing;
using Broker.Tests.App;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Security;

/// <summary>The <c>Idempotency-Key</c> header on every route that starts a run.</summary>
public abstract class IdempotencySuite(BrokerApp app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private sealed record Answer(int Status, string Body, bool Replayed);

    /// <summary>Nothing to do: a run is complete at once, so that the route that waits for the end answers too.</summary>
    private static string Schema(string workflow) => $$$"""{"workflow_id":"{{{workflow}}}","version":"1","steps":{}}""";

    /// <summary>Path and body of a start; another number makes another body.</summary>
    private static (string Path, string Body) Start(string route, string workflow, int number) => route switch
    {
        "dispatch" => ("/workflow/dispatch", $$$"""{"workflow":{{{Schema(workflow)}}},"inputs":{"n":{{{number}}}}}"""),
        "run" => ($"/workflows/{workflow}/run", $$$"""{"start_event":{"n":{{{number}}}}}"""),
        "run-nowait" => ($"/workflows/{workflow}/run-nowait", $$$"""{"start_event":{"n":{{{number}}}}}"""),
        "agents-run" => ($"/agents/workflows/{workflow}/run", $$$"""{"start_event":{"n":{{{number}}}}}"""),
        "jobs" => ($"/api/workflows/{workflow}/run", $$$"""{"inputs":{"n":{{{number}}}}}"""),
        "instances" => ($"/api/workflows/workflows/{workflow}/instances", $$$"""{"params":{"n":{{{number}}}}}"""),
        "instances-flat" => ($"/api/workflows/{workflow}/instances", $$$"""{"params":{"n":{{{number}}}}}"""),
        _ => throw new ArgumentOutOfRangeException(nameof(route)),
    };

    public static TheoryData<string> Routes => ["dispatch", "run", "run-nowait", "agents-run", "jobs", "instances", "instances-flat"];

    private async Task<string> RegisteredAsync()
    {
        var workflow = $"again-{Guid.NewGuid():N}";
        using var content = new StringContent($"[{Schema(workflow)}]", Encoding.UTF8, "application/json");
        using var answer = await app.Client.PostAsync(new Uri("/worker/register", UriKind.Relative), content, Ct);
        Assert.True(answer.IsSuccessStatusCode);
        return workflow;
    }

    private async Task<Answer> SendAsync((string Path, string Body) start, params string[] keys)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, start.Path) { Content = new StringContent(start.Body, Encoding.UTF8, "application/json") };
        foreach (var key in keys) request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        using var answer = await app.Client.SendAsync(request, Ct);
        return new((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(Ct), answer.Headers.Contains("Idempotency-Replayed"));
    }

    /// <summary>Runs that were ever started of a workflow.</summary>
    private async Task<int> RunsAsync(string workflow) =>
        (await app.Services.GetRequiredService<IHistory>().ListAsync([workflow], Ct)).Sum(run => run.Ref.Number + 1);

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task The_same_request_again_is_answered_with_the_same_run(string route)
    {
        var workflow = await RegisteredAsync();
        var first = await SendAsync(Start(route, workflow, 1), "key-1");
        var again = await SendAsync(Start(route, workflow, 1), "key-1");
        var other = await SendAsync(Start(route, workflow, 1), "key-2");

        Assert.InRange(first.Status, 200, 202);
        Assert.False(first.Replayed);
        Assert.Equal(first with { Replayed = true }, again);
        Assert.False(other.Replayed);
        Assert.Equal(2, await RunsAsync(workflow));
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task Another_body_under_the_same_key_is_refused(string route)
    {
        var workflow = await RegisteredAsync();
        await SendAsync(Start(route, workflow, 1), "key");
        var other = await SendAsync(Start(route, workflow, 2), "key");

        Assert.Equal(422, other.Status);
        Assert.Contains("Idempotency-Key", other.Body, StringComparison.Ordinal);
        Assert.Equal(1, await RunsAsync(workflow));
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task A_malformed_key_is_refused(string route)
    {
        var workflow = await RegisteredAsync();
        foreach (var keys in (string[][])[[""], ["two words"], [new string('k', 256)], ["one", "two"]])
        {
            var answer = await SendAsync(Start(route, workflow, 1), keys);
            Assert.Equal(400, answer.Status);
            Assert.Contains("1 to 255 visible ASCII characters", answer.Body, StringComparison.Ordinal);
        }

        Assert.InRange((await SendAsync(Start(route, workflow, 1), new string('~', 255))).Status, 200, 202);
        Assert.Equal(1, await RunsAsync(workflow));
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task Duplicates_that_are_under_way_together_start_one_run(string route)
    {
        var workflow = await RegisteredAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => SendAsync(Start(route, workflow, 1), "key")));

        Assert.Single(answers, a => !a.Replayed);
        Assert.Single(answers.Select(a => (a.Status, a.Body)).Distinct());
        Assert.Equal(1, await RunsAsync(workflow));
    }

    [Fact]
    public async Task Keys_of_different_routes_and_workflows_do_not_meet()
    {
        var (one, two) = (await RegisteredAsync(), await RegisteredAsync());
        foreach (var route in Routes.Select(r => r.Data).Except(["agents-run", "instances-flat"]))
        {
            Assert.False((await SendAsync(Start(route, one, 1), "shared")).Replayed);
            Assert.False((await SendAsync(Start(route, two, 1), "shared")).Replayed);
        }

        Assert.Equal((5, 5), (await RunsAsync(one), await RunsAsync(two)));
    }

    [Fact]
    public async Task Both_paths_of_one_route_share_their_keys()
    {
        var workflow = await RegisteredAsync();
        await SendAsync(Start("instances", workflow, 1), "key");
        Assert.True((await SendAsync(Start("instances-flat", workflow, 1), "key")).Replayed);
    }

    [Fact]
    public async Task A_start_that_was_refused_may_be_tried_again_under_its_key()
    {
        var unknown = $"later-{Guid.NewGuid():N}";
        Assert.Equal(404, (await SendAsync(Start("run-nowait", unknown, 1), "key")).Status);
        using var content = new StringContent($"[{Schema(unknown)}]", Encoding.UTF8, "application/json");
        using (await app.Client.PostAsync(new Uri("/worker/register", UriKind.Relative), content, Ct))
        {
        }

        Assert.Equal((200, false), (await SendAsync(Start("run-nowait", unknown, 1), "key")) is var answer ? (answer.Status, answer.Replayed) : default);
    }
}

public sealed class PostgresIdempotencyTests(PostgresApp app) : IdempotencySuite(app), IClassFixture<PostgresApp>;

public sealed class SqliteIdempotencyTests(SqliteApp app) : IdempotencySuite(app), IClassFixture<SqliteApp>;
