using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Broker.Auth;
using Broker.Core.Definitions;
using Broker.Embedding;
using Broker.Engine;
using Broker.Http;
using Broker.Operations.Tracing;

namespace Broker.Api.InstancesDialect;

/// <summary>One request of this dialect: the checks that its routes share. Each check that fails has answered.</summary>
internal sealed class InstanceCall
{
    private readonly HttpContext http;
    private readonly BrokerEngine engine;
    private readonly IInstanceHooks? hooks;
    private readonly string path;
    private HookContext? context;

    public InstanceCall(HttpContext http, BrokerEngine engine, string path)
    {
        this.http = http;
        this.engine = engine;
        this.path = path;
        hooks = http.RequestServices.GetService<IInstanceHooks>();
        IsFlat = http.GetEndpoint()?.Metadata.GetMetadata<FlatPath>() is not null;
    }

    /// <summary>The path without the inner <c>workflows</c> segment was used.</summary>
    public bool IsFlat { get; }

    public bool ShowsActive => IsFlat && engine.Settings.InstancesShowActive;

    public HttpContext Http => http;

    public CancellationToken Aborted => http.RequestAborted;

    /// <summary>The trace that the request belongs to, if any.</summary>
    public string? TraceParent => TraceParents.Of(http);

    /// <summary>The body, or null after a 413, or a 400 for one that is nested too deep. Dispose it at the end of the request: the hooks look into it.</summary>
    public async Task<JsonBody?> ReadBodyAsync()
    {
        var body = await JsonBody.ReadAsync(http.Request, engine.Settings, Aborted);
        if (body.Fault is BodyFault.TooLarge) await InstanceError.TooLarge(engine.Settings.MaxBodyBytes).SendAsync(http);
        else if (body.Fault is BodyFault.TooDeep) await InstanceError.Validation.SendAsync(http, [new Issue([], "custom", body.Reason)]);
        else return body;
        return null;
    }

    public async Task<bool> IsValidAsync(IssueList issues)
    {
        if (!issues.Any) return true;
        await InstanceError.Validation.SendAsync(http, issues.All);
        return false;
    }

    /// <summary>Asks the hook that every route has.</summary>
    public Task<bool> MayAsync(JsonElement? input = null)
    {
        if (hooks is null) return Task.FromResult(true);
        context = new HookContext
        {
            Method = http.Request.Method,
            Path = path,
            PathParams = http.Request.RouteValues.ToDictionary(v => v.Key, v => (string?)v.Value ?? ""),
            Query = http.Request.Query,
            Headers = http.Request.Headers,
            Input = input,
            User = http.User,
            KeyId = Caller.Current is var caller && caller != Caller.Anonymous ? caller.Id : null,
        };
        return GoesOnAsync(hooks.AuthorizeRequestAsync(context, Aborted));
    }

    /// <summary>Asks a hook of this route; <see cref="MayAsync(JsonElement?)"/> comes first.</summary>
    public Task<bool> MayAsync(Func<IInstanceHooks, HookContext, CancellationToken, ValueTask<IResult?>> ask) =>
        hooks is null ? Task.FromResult(true) : GoesOnAsync(ask(hooks, context!, Aborted));

    private async Task<bool> GoesOnAsync(ValueTask<IResult?> decision)
    {
        if (await decision is not { } answer) return true;
        await answer.ExecuteAsync(http);
        return false;
    }

    /// <summary>The workflow, or null after a 404.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="toStart">A run is to be started; else a workflow whose file is gone is found as well, for its instances.</param>
    public async Task<WorkflowDefinition?> FindWorkflowAsync(string name, bool toStart = false)
    {
        if (Identifiers.IsWorkflowName(name) && await (toStart ? engine.StartableAsync(name, Aborted) : engine.DefinedAsync(name, Aborted)) is { } found) return found;
        await InstanceError.UnknownWorkflow.SendAsync(http);
        return null;
    }

    public async Task<bool> IsInstanceIdAsync(string id)
    {
        if (Identifiers.IsInstanceId(id)) return true;
        await InstanceError.BadInstanceId.SendAsync(http);
        return false;
    }

    public Task RefuseAsync(InstanceError error, IReadOnlyList<Issue>? issues = null) => error.SendAsync(http, issues);

    public Task AnswerAsync<T>(T answer, JsonTypeInfo<T> type) => JsonAnswer.SendAsync(http.Response, 200, answer, type);

    public Task AnswerAsync<TState>(TState state, Action<Utf8JsonWriter, TState> write) => JsonAnswer.SendAsync(http.Response, 200, state, write);
}

/// <summary>Marks the routes without the inner <c>workflows</c> segment.</summary>
internal sealed class FlatPath;

/// <summary>Rules of every route of the dialect, whatever its handler does.</summary>
internal static class InstancesFilter
{
    public static async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext call, EndpointFilterDelegate next)
    {
        var http = call.HttpContext;
        if (http.Request.ContentType is not { } type || !type.StartsWith("multipart/form-data", StringComparison.OrdinalIgnoreCase)) return await next(call);
        await InstanceError.Multipart.SendAsync(http);
        return Results.Empty;
    }
}
