using System.Runtime.CompilerServices;
using Xunit;

namespace Broker.Testing;

/// <summary>
/// Polls the visible state of another process, where no signal can be awaited. Inside one process advance
/// the <see cref="TestClock"/> or await a signal instead.
/// </summary>
public static class Eventually
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(15);
    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(20);

    public static Task TrueAsync(
        Func<bool> condition, TimeSpan? within = null, [CallerArgumentExpression(nameof(condition))] string expected = "") =>
        TrueAsync(() => Task.FromResult(condition()), within, expected);

    public static async Task TrueAsync(
        Func<Task<bool>> condition, TimeSpan? within = null, [CallerArgumentExpression(nameof(condition))] string expected = "") =>
        await ValueAsync(async () => await condition() ? "" : null, within, expected);

    /// <summary>The first value that is not null. An HttpRequestException counts as not yet: the process may still be starting.</summary>
    public static async Task<T> ValueAsync<T>(
        Func<Task<T?>> read, TimeSpan? within = null, [CallerArgumentExpression(nameof(read))] string expected = "")
        where T : class
    {
        var limit = within ?? WaitLimit;
        var start = TimeProvider.System.GetTimestamp();
        Exception? last = null;
        while (TimeProvider.System.GetElapsedTime(start) < limit)
        {
            try
            {
                if (await read() is { } value) return value;

                last = null;
            }
            catch (HttpRequestException e)
            {
                last = e;
            }

            await Task.Delay(Interval, TimeProvider.System);
        }

        Assert.Fail($"Not within {limit.TotalSeconds:0.#} s: {expected}" + (last is null ? "" : $" (last: {last.Message})"));
        throw new InvalidOperationException("Assert.Fail has returned.");
    }
}
