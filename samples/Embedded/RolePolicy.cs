using Broker.Embedding;

namespace Embedded;

/// <summary>
/// Rights by role: <c>reader</c> reads, the role <c>clerk</c> creates and answers, the role <c>lead</c> does the rest too. A real
/// application asks <see cref="HookContext.User"/>, which its authentication fills; here the header <c>X-Role</c> stands for it.
/// </summary>
internal sealed class RolePolicy : IInstanceHooks
{
    public ValueTask<IResult?> AuthorizeRequestAsync(HookContext request, CancellationToken ct) =>
        Allow(request, "reader", "clerk", "lead");

    public ValueTask<IResult?> AuthorizeInstanceCreationAsync(InstanceCreationContext creation, CancellationToken ct) =>
        Allow(creation.Request, "clerk", "lead");

    public ValueTask<IResult?> AuthorizeManagementAsync(ManagementContext management, CancellationToken ct) =>
        Allow(management.Request, "lead");

    public ValueTask<IResult?> AuthorizeSendEventAsync(SendEventContext sending, CancellationToken ct) =>
        Allow(sending.Request, "clerk", "lead");

    public ValueTask<IResult?> AuthorizeRunnerTickAsync(RunnerTickContext tick, CancellationToken ct) =>
        Allow(tick.Request, "lead");

    private static ValueTask<IResult?> Allow(HookContext request, params ReadOnlySpan<string> roles) =>
        new(roles.Contains(request.Headers["X-Role"].ToString()) ? null : Results.Json(new Refusal("The role does not allow it.", "FORBIDDEN"), statusCode: 403));

    private sealed record Refusal(string Message, string Code);
}
