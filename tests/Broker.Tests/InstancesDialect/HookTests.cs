using System.Net;
using System.Reflection;
using System.Text;
using System.Text.Json;
using Broker.Api.InstancesDialect;
using Broker.Audit;
using Broker.Core.Definitions;
using Broker.Embedding;
using Broker.Engine;
using Broker.Http;
using Broker.Operations;
using Broker.Settings;
using Broker.Storage.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Xunit;

namespace Broker.Tests.InstancesDialect;

/// <summary>
/// The order in which hooks are asked (instances contract 10), and which route a path meets (contract 1). No store is behind the routes:
/// the last hook refuses, so that nothing is looked up.
/// </summary>
public sealed class HookTests
{
    private const string Id = "/api/workflows/workflows/w/instances/a";

    [Theory]
    [InlineData("GET", "/api/workflows/workflows", null, "request")]
    [InlineData("GET", "/api/workflows/workflows/w/instances", null, "request workflow")]
    [InlineData("POST", "/api/workflows/workflows/w/instances", "{}", "request creation workflow")]
    [InlineData("POST", "/api/workflows/workflows/w/instances/batch", """{"instances":[]}""", "request creation workflow")]
    [InlineData("POST", Id + "/pause", null, "request workflow management:pause")]
    [InlineData("POST", Id + "/resume", null, "request workflow management:resume")]
    [InlineData("POST", Id + "/restart", null, "request workflow management:restart")]
    [InlineData("POST", Id + "/terminate", null, "request workflow management:terminate")]
    [InlineData("POST", Id + "/events", """{"type":"go"}""", "request workflow event:go")]
    [InlineData("POST", "/api/workflows/_runner/tick", """{"maxSteps":3}""", "request tick:3")]
    public async Task Hooks_are_asked_in_their_order(string method, string path, string? body, string asked)
    {
        var hooks = new Recorder(RefuseAt: asked.Split(' ')[^1]);
        await using var app = await StartAsync(hooks, new BrokerSettings());

        var (status, text) = await SendAsync(app, method, path, body);

        Assert.Equal(asked, string.Join(' ', hooks.Asked));
        if (asked.EndsWith("workflow", StringComparison.Ordinal)) Assert.Contains("WORKFLOW_NOT_FOUND", text, StringComparison.Ordinal);
        else Assert.Equal((418, "refused"), ((int)status, text));
    }

    [Theory]
    [InlineData("/api/workflows/workflows/w/instances", "-")]
    [InlineData(Id + "/events", "{}")]
    [InlineData("/_runner/tick", "[]")]
    public async Task A_bad_body_is_refused_before_any_hook(string path, string body)
    {
        var hooks = new Recorder(RefuseAt: "request");
        await using var app = await StartAsync(hooks, new BrokerSettings());

        var (status, _) = await SendAsync(app, "POST", path, body);

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Empty(hooks.Asked);
    }

    // Instances contract 9: body, request, tick, then disabled.
    [Fact]
    public async Task A_disabled_tick_is_refused_after_its_hooks()
    {
        var hooks = new Recorder(RefuseAt: "");
        await using var app = await StartAsync(hooks, new BrokerSettings { RunnerTickEnabled = false });

        var (status, text) = await SendAsync(app, "POST", "/_runner/tick", null);

        Assert.Equal(["request", "tick:"], hooks.Asked);
        Assert.Equal((HttpStatusCode.Forbidden, """{"message":"Runner tick disabled","code":"RUNNER_TICK_DISABLED"}"""), (status, text));
    }

    [Fact]
    public async Task A_hook_that_throws_is_a_500_of_this_dialect()
    {
        await using var app = await StartAsync(new Recorder(RefuseAt: "throw"), new BrokerSettings());

        var (status, text) = await SendAsync(app, "GET", "/api/workflows/workflows", null);

        Assert.Equal(HttpStatusCode.InternalServerError, status);
        Assert.Equal("""{"error":"Internal server error","message":"Internal server error","code":"INTERNAL_SERVER_ERROR"}""", text);
    }

    // Instances contract 1: the same route, whatever the path; parameters are percent-decoded.
    [Theory]
    [InlineData("/api/workflows/", "/workflows", "")]
    [InlineData("/api/workflows/workflows", "/workflows", "")]
    [InlineData("/api/workflows/w/instances/a", "/workflows/:workflowName/instances/:instanceId", "w a")]
    [InlineData("/workflows/w/instances/a", "/workflows/:workflowName/instances/:instanceId", "w a")]
    [InlineData("/api/workflows/workflows/my%20%2F%C3%BC/instances/a", "/workflows/:workflowName/instances/:instanceId", "my /ü a")]
    [InlineData("/api/workflows/workflows/instances/instances", "/workflows/:workflowName/instances", "instances")]
    [InlineData("/api/workflows/workflows/instances/instances/history", "/workflows/:workflowName/instances/:instanceId", "instances history")]
    [InlineData("/api/workflows/workflows/instances", "/workflows/:workflowName/instances", "workflows")]
    [InlineData("/api/workflows/_runner/instances", "/workflows/:workflowName/instances", "_runner")]
    public async Task A_path_meets_its_route(string path, string route, string parameters)
    {
        var hooks = new Recorder(RefuseAt: "request");
        await using var app = await StartAsync(hooks, new BrokerSettings());

        await SendAsync(app, "GET", path, null);

        Assert.Equal(route, hooks.Last?.Path);
        Assert.Equal(parameters, string.Join(' ', hooks.Last!.PathParams.OrderByDescending(p => p.Key).Select(p => p.Value)));
    }

    // Instances contract 1: GET X without the slash belongs to another API.
    [Fact]
    public async Task The_base_path_without_the_slash_belongs_to_the_jobs_dialect()
    {
        await using var app = await StartAsync(new Recorder(RefuseAt: "request"), new BrokerSettings());

        Assert.Equal("jobs", (await SendAsync(app, "GET", "/api/workflows", null)).Text);
        Assert.Equal("refused", (await SendAsync(app, "GET", "/api/workflows/", null)).Text);
    }

    [Fact]
    public async Task The_base_path_can_be_another()
    {
        await using var app = await StartAsync(new Recorder(RefuseAt: "request"), new BrokerSettings { InstancesBasePath = "/wf/" });

        foreach (var path in new[] { "/wf/", "/wf/workflows", "/wf/w/instances", "/workflows/w/instances" })
            Assert.Equal("refused", (await SendAsync(app, "GET", path, null)).Text);
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync(app, "GET", "/api/workflows/workflows", null)).Status);
    }

    private static async Task<(HttpStatusCode Status, string Text)> SendAsync(WebApplication app, string method, string path, string? body)
    {
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private static async Task<WebApplication> StartAsync(Recorder hooks, BrokerSettings settings)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton(settings).AddSingleton(TimeProvider.System).AddSingleton<BrokerEngine>().AddSingleton<AuditTrail>().AddSingleton(Absent.Of<IAuditStore>()).AddSingleton<IInstanceHooks>(hooks);
        builder.Services.AddSingleton<BacklogGate>().AddSingleton(Absent.Of<IBacklog>()).AddSingleton<OperatorHolds>().AddSingleton(Absent.Of<IHoldStore>());
        builder.Services.AddSingleton(Absent.Of<IDefinitionStore>((method, arguments) =>
        {
            Assert.Equal((nameof(IDefinitionStore.LatestAsync), "w"), (method, arguments[0]));
            hooks.Asked.Add("workflow");
            return Task.FromResult(hooks.Workflow);
        }));
        builder.Services.AddSingleton(Absent.Of<IWorkflowFileStore>((method, _) =>
        {
            Assert.Equal(nameof(IWorkflowFileStore.ErrorOfAsync), method);
            return Task.FromResult<string?>(null);
        }));
        foreach (var parameter in typeof(BrokerEngine).GetConstructors().Single().GetParameters().Where(p => p.ParameterType.Namespace == typeof(IRunStore).Namespace))
            builder.Services.TryAdd(ServiceDescriptor.Singleton(parameter.ParameterType, Absent.Of(parameter.ParameterType)));

        var app = builder.Build();
        app.UseOperations();
        app.UseInstancesTrailingSlash(settings);
        app.UseRawPath();
        app.MapInstancesDialect(settings);
        app.MapGet("/api/workflows", () => "jobs");
        await app.StartAsync(TestContext.Current.CancellationToken);
        return app;
    }

    /// <summary>Records the hooks that were called, and refuses at one of them.</summary>
    private sealed record Recorder(string RefuseAt) : IInstanceHooks
    {
        public List<string> Asked { get; } = [];

        public HookContext? Last { get; private set; }

        /// <summary>Unknown where a test ends with the look-up.</summary>
        public WorkflowDefinition? Workflow => RefuseAt == "workflow"
            ? null
            : DefinitionReader.Read(JsonElement.Parse("""{"workflow_id":"w","steps":{}}""")).Definition;

        public ValueTask<IResult?> AuthorizeRequestAsync(HookContext request, CancellationToken ct)
        {
            Last = request;
            if (RefuseAt == "throw") throw new InvalidOperationException("the hook is broken");
            return Note("request");
        }

        public ValueTask<IResult?> AuthorizeInstanceCreationAsync(InstanceCreationContext creation, CancellationToken ct) => Note("creation");

        public ValueTask<IResult?> AuthorizeManagementAsync(ManagementContext management, CancellationToken ct) => Note($"management:{management.Action}");

        public ValueTask<IResult?> AuthorizeSendEventAsync(SendEventContext sending, CancellationToken ct) => Note($"event:{sending.EventType}");

        public ValueTask<IResult?> AuthorizeRunnerTickAsync(RunnerTickContext tick, CancellationToken ct) => Note($"tick:{tick.MaxSteps}");

        private ValueTask<IResult?> Note(string hook)
        {
            Asked.Add(hook);
            return new(hook == RefuseAt ? Results.Text("refused", statusCode: 418) : null);
        }
    }
}

/// <summary>A store that is not there: every call fails, unless the test answers for it.</summary>
public class Absent : DispatchProxy
{
    private Func<string, object?[], object?>? answer;

    internal static object Of(Type store) =>
        typeof(Absent).GetMethod(nameof(Of), 1, BindingFlags.Static | BindingFlags.NonPublic, null, [typeof(Func<string, object?[], object?>)], null)!
            .MakeGenericMethod(store).Invoke(null, [null])!;

    internal static T Of<T>(Func<string, object?[], object?>? answer = null)
        where T : class
    {
        var proxy = Create<T, Absent>();
        ((Absent)(object)proxy).answer = answer;
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        (answer ?? throw new InvalidOperationException($"{targetMethod} was called"))(targetMethod!.Name, args ?? []);
}
