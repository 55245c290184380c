using Broker.Operators;

namespace Broker.Sdk;

public sealed partial class BrokerClient
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(300);

    /// <summary>Says what an action would do to all runs that fit, and changes nothing.</summary>
    /// <param name="action">retry, cancel, pause, resume, restart, terminate, delete, tag or send_event.</param>
    /// <param name="where">Expression that chooses the runs, such as <c>workflow=order tag.customer=42</c>.</param>
    /// <param name="arguments">Arguments of the action; null: none.</param>
    /// <param name="reason">Why, for the audit trail: at most 500 characters.</param>
    /// <param name="ct">Gives up.</param>
    /// <returns>Numbers of runs, and the token for <see cref="RunBulkAsync"/>, which holds for 10 minutes.</returns>
    /// <exception cref="OperatorException">The expression or an argument is wrong, or the key may not do it.</exception>
    /// <exception cref="HttpRequestException">No broker answers.</exception>
    public Task<BulkPlan> PlanBulkAsync(string action, string where, BulkArguments? arguments = null, string? reason = null, CancellationToken ct = default) =>
        Api.PlanBulkAsync(new() { Action = action, Where = where, Args = arguments, Reason = reason, DryRun = true }, ct);

    /// <summary>Starts a planned action and waits for its end. The action goes on when a broker restarts, and so does the wait.</summary>
    /// <param name="plan">Plan of the action.</param>
    /// <param name="progress">Gets each change; null: none is wanted.</param>
    /// <param name="ct">Ends the wait; the action goes on.</param>
    /// <returns>State at the end: how many runs it was done to.</returns>
    /// <exception cref="OperatorException">The token is too old, or other runs fit by now (<c>changed</c>).</exception>
    /// <exception cref="HttpRequestException">No broker answers the start.</exception>
    public async Task<BulkState> RunBulkAsync(BulkPlan plan, IProgress<BulkState>? progress = null, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return await WaitForBulkAsync(await Api.StartBulkAsync(plan.Id, new() { Confirm = plan.Confirm, Count = plan.Matched.Count }, ct), progress, ct);
    }

    /// <summary>Waits for the end of an action that was started.</summary>
    /// <param name="state">The action.</param>
    /// <param name="progress">Gets each change; null: none is wanted.</param>
    /// <param name="ct">Ends the wait; the action goes on.</param>
    /// <returns>State at the end.</returns>
    /// <exception cref="OperatorException">There is no such action.</exception>
    public async Task<BulkState> WaitForBulkAsync(BulkState state, IProgress<BulkState>? progress = null, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(state);
        var reconnect = new Reconnect(clock);
        while (state.State is not ("done" or "stopped"))
        {
            await Task.Delay(Look, clock, ct);
            try
            {
                var now = await Api.GetBulkAsync(state.Id, ct);
                reconnect.Succeeded();
                if (now != state) progress?.Report(now);
                state = now;
            }
            catch (Exception fault) when (Reconnect.Passes(fault, ct))
            {
                await reconnect.PauseAsync(fault, ct);
            }
        }

        return state;
    }

    /// <summary>Cancels all runs that fit, and waits until that is done. <see cref="PlanBulkAsync"/> counts them before.</summary>
    /// <param name="where">Expression that chooses the runs, such as <c>workflow=order tag.customer=42</c>.</param>
    /// <param name="reason">Why, for the audit trail: at most 500 characters.</param>
    /// <param name="ct">Ends the wait; the action goes on.</param>
    /// <returns>State at the end: how many runs were cancelled.</returns>
    /// <exception cref="OperatorException">The expression is wrong, or the key may not cancel.</exception>
    /// <exception cref="HttpRequestException">No broker answers.</exception>
    public async Task<BulkState> CancelAsync(string where, string? reason = null, CancellationToken ct = default) =>
        await RunBulkAsync(await PlanBulkAsync("cancel", where, null, reason, ct), null, ct);
}
