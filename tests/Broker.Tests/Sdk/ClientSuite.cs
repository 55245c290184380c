using Broker.Operators;
using Broker.Sdk;
using Broker.Tests.App;
using Broker.Tests.BrokerDialect;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Xunit;

namespace Broker.Tests.Sdk;

/// <summary>The client with typed workflows, against a broker on a real port.</summary>
public abstract class ClientSuite(BrokerApp app) : IDisposable
{
    private readonly LossyHandler lossy = new();

    private readonly string name = Flows.NewName("order");

    private ServiceProvider? services;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private BrokerClient Client => (services ??= SdkFlows.Services(app.Address, requests => requests.AddHttpMessageHandler(() => lossy))).GetRequiredService<BrokerClient>();

    private Wire Wire => new(app.Client);

    public void Dispose()
    {
        services?.Dispose();
        lossy.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_start_that_is_sent_again_after_a_lost_answer_starts_one_run()
    {
        await Wire.RegisterAsync(SdkFlows.Schema(name));
        lossy.Lose = 1;

        var run = await Client.StartAsync(SdkFlows.Order(name), new(1, "kim"), new() { Tags = { ["customer"] = "kim" }, Priority = 7 }, Ct);

        Assert.True(run.WasStarted);
        Assert.Equal(2, lossy.Keys.Count);
        Assert.Single(lossy.Keys.Distinct());
        Assert.True(Broker.Operators.Where.WhereExpression.TryParse($"workflow={name} tag.customer=kim", out var where, out _));
        Assert.Equal(1, (await Client.Api.CountRunsAsync(new(where), 10, Ct)).Count);
    }

    [Fact]
    public async Task A_command_that_is_not_safe_to_repeat_is_sent_once()
    {
        await Wire.RegisterAsync(SdkFlows.Schema(name));
        var run = await Client.StartAsync(SdkFlows.Order(name), new(1, "kim"), new() { Id = "one" }, Ct);
        lossy.Lose = 1;

        await Assert.ThrowsAsync<HttpRequestException>(() => Client.Api.RestartAsync(name, "one", new(), Ct));
        Assert.Equal(1, (await Client.Get(SdkFlows.Order(name), "one").GetAsync(Ct)).Run);
        Assert.Equal(0, run.Address.Run);
    }

    [Fact]
    public async Task An_id_that_is_taken_is_attached_to_refused_or_run_again()
    {
        var worker = await Wire.RegisterAsync(SdkFlows.Schema(name));
        var first = await StartAsync(Start.Attach);
        Assert.Equal((true, 0), (first.WasStarted, first.Address.Run));
        var attached = await StartAsync(Start.Attach);
        Assert.Equal((false, 0), (attached.WasStarted, attached.Address.Run));
        Assert.Equal("already_exists", (await Assert.ThrowsAsync<OperatorException>(() => StartAsync(Start.Fail))).Code);
        Assert.Equal("already_exists", (await Assert.ThrowsAsync<OperatorException>(() => StartAsync(Start.Restart))).Code);

        await Wire.RunAsync(worker, "charge");
        await Wire.RunAsync(worker, "ship", result: """{"number":"r-1"}""");
        Assert.Equal(new Receipt("r-1"), await first.ResultAsync(Ct));
        var again = await StartAsync(Start.Restart, id: 2);
        Assert.Equal((true, 1), (again.WasStarted, again.Address.Run));
        Assert.Equal("""{"id":2,"customer":"kim"}""", (await again.GetAsync(Ct)).Inputs.Text);

        Task<Run<Receipt>> StartAsync(Start mode, int id = 1) => Client.StartAsync(SdkFlows.Order(name), new(id, "kim"), new() { Id = "one", IfExists = mode }, Ct);
    }

    [Fact]
    public async Task A_run_that_failed_says_where_and_why_and_one_that_was_cancelled_says_so()
    {
        var worker = await Wire.RegisterAsync(SdkFlows.Schema(name));
        var run = await Client.StartAsync(SdkFlows.Order(name), new(1, "kim"), ct: Ct);
        await Wire.RunAsync(worker, "charge", "FAILED", """{"name":"CardError","message":"no funds","retryable":false}""");

        var failed = await Assert.ThrowsAsync<RunFailedException>(() => run.ResultAsync(Ct));
        Assert.Equal(("failed", new RunError("charge", "CardError", "no funds")), (failed.Status, failed.Error));
        Assert.Equal($"The run {name}/{run.Address.Instance}.0 failed in step charge: CardError: no funds", failed.Message);
        Assert.Equal("failed", await run.CancelAsync("too late", Ct));

        var other = await Client.StartAsync(SdkFlows.Order(name), new(2, "kim"), ct: Ct);
        Assert.Equal("cancelled", await other.CancelAsync("wrong order", Ct));
        Assert.Equal("cancelled", (await Assert.ThrowsAsync<RunFailedException>(() => other.ResultAsync(Ct))).Status);
        Assert.Equal("not_found", (await Assert.ThrowsAsync<OperatorException>(() => Client.Get(SdkFlows.Order(name), "none").ResultAsync(Ct))).Code);
    }

    [Fact]
    public async Task An_event_with_the_same_id_is_taken_once()
    {
        await Wire.RegisterAsync(SdkFlows.Schema(name));
        var run = await Client.StartAsync(SdkFlows.Order(name), new(1, "kim"), ct: Ct);
        for (var i = 0; i < 2; i++) Assert.Equal("kept", (await run.SendAsync(SdkFlows.Approval, new("kim"), "mail-4711", Ct)).Outcome);

        var stored = Assert.Single((await Client.Api.ListEventsAsync(run.Address, new(), Ct)).Items);
        Assert.Equal(("approval", """{"by":"kim"}"""), (stored.Type, stored.Value.Text));
    }

    [Fact]
    public async Task Many_runs_are_planned_and_cancelled_by_an_expression()
    {
        await Wire.RegisterAsync(SdkFlows.Schema(name));
        for (var i = 0; i < 3; i++) await Client.StartAsync(SdkFlows.Order(name), new(i, "kim"), new() { Tags = { ["n"] = $"{i}" } }, Ct);

        var plan = await Client.PlanBulkAsync("cancel", $"workflow={name}", ct: Ct);
        Assert.Equal((3, 3), (plan.Matched.Count, plan.Qualify));
        var ended = await Client.CancelAsync($"workflow={name} tag.n!=2", "test", Ct);
        Assert.Equal(("done", 2, 0, "test"), (ended.State, ended.Done, ended.Failed, ended.Reason));
        Assert.Equal("/where", (await Assert.ThrowsAsync<OperatorException>(() => Client.CancelAsync("stat=x", ct: Ct))).Place);
        Assert.Equal("changed", (await Assert.ThrowsAsync<OperatorException>(() => Client.RunBulkAsync(plan with { Matched = new(100, false) }, ct: Ct))).Code);
    }

    [Fact]
    public async Task Stored_lines_are_read_page_by_page_without_following()
    {
        var worker = await Wire.RegisterAsync(SdkFlows.Schema(name));
        var run = await Client.StartAsync(SdkFlows.Order(name), new(1, "kim"), ct: Ct);
        var step = await Wire.MustClaimAsync(worker);
        await Wire.ReportAsync(worker, step, "SUCCEEDED", "1", ""","logs":[{"level":"info","message":"a"},{"level":"info","message":"b"}]""");

        var all = await run.LogsAsync(ct: Ct).ToListAsync(Ct);
        Assert.Equal(["\"a\"", "\"b\""], all.Select(line => line.Text.Text));
        Assert.Equal(["\"b\""], await run.LogsAsync(step: "charge", after: all[0].Id, ct: Ct).Select(line => line.Text.Text).ToListAsync(Ct));
        Assert.Equal("not_found", (await Assert.ThrowsAsync<OperatorException>(async () => await run.LogsAsync(follow: true, step: "none", ct: Ct).ToListAsync(Ct))).Code);
    }

    [Fact]
    public void Options_come_from_a_section()
    {
        var section = new ConfigurationBuilder().AddInMemoryCollection([new("Server", "https://broker.example.org/b"), new("ApiKey", "k")]).Build();
        var collection = new ServiceCollection();
        collection.AddBrokerClient(section);
        using var provider = collection.BuildServiceProvider();
        using var http = provider.GetRequiredService<IHttpClientFactory>().CreateClient(BrokerClientServices.Requests);
        Assert.Equal(("https://broker.example.org/b/", "Bearer k"), (http.BaseAddress!.ToString(), http.DefaultRequestHeaders.Authorization!.ToString()));
        section["Server"] = "ftp://x";
        collection.Clear();
        collection.AddBrokerClient(section);
        using var wrong = collection.BuildServiceProvider();
        Assert.Throws<InvalidOperationException>(() => wrong.GetRequiredService<IOptions<BrokerClientOptions>>().Value);
    }

    /// <summary>Loses answers on their way, after the broker has done what was asked.</summary>
    private sealed class LossyHandler : DelegatingHandler
    {
        /// <summary>Answers to lose next.</summary>
        public int Lose { get; set; }

        public List<string> Keys { get; } = [];

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (request.Headers.TryGetValues("Idempotency-Key", out var keys)) Keys.AddRange(keys);
            var response = await base.SendAsync(request, cancellationToken);
            if (Lose == 0) return response;
            Lose--;
            response.Dispose();
            throw new HttpRequestException("the answer was lost");
        }
    }
}

public sealed class PostgresClientTests(PostgresApp app) : ClientSuite(app), IClassFixture<PostgresApp>;

public sealed class SqliteClientTests(SqliteApp app) : ClientSuite(app), IClassFixture<SqliteApp>;
