using System.Diagnostics;
using System.Globalization;

namespace Broker.Worker.Tests;

/// <summary>Polls for changes in other processes, which give no signal.</summary>
internal static class Eventually
{
    public static async Task True(Func<bool> condition, string what)
    {
        var time = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(time.Elapsed < TimeSpan.FromSeconds(60), $"waited 60 s for: {what}");
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    public static Task Gone(int pid) => True(() => !IsRunning(pid), $"process {pid} to end");

    public static bool IsRunning(int pid)
    {
        try
        {
            // The state follows the name in parentheses; a zombie runs no more.
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            return stat[stat.LastIndexOf(')') + 2] is not ('Z' or 'X');
        }
        catch (IOException)
        {
            return false;
        }
    }
}
