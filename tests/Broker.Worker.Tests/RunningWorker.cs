using System.Collections;
using System.Text;

namespace Broker.Worker.Tests;

/// <summary>A worker loop in this process, with short pauses, and its log.</summary>
internal sealed class RunningWorker : IAsyncDisposable
{
    private readonly CancellationTokenSource stopping = new();
    private readonly CancellationTokenSource hurry = new();
    private readonly StringBuilder log = new();
    private readonly BrokerClient client;
    private readonly Descendants descendants = new(adopts: false);
    private readonly WorkerLoop loop;
    private readonly Task run;

    public RunningWorker(FakeBroker broker, Func<WorkerOptions, WorkerOptions>? options = null, Func<WorkerTimings, WorkerTimings>? timings = null)
    {
        var chosen = new WorkerOptions { Server = broker.Address, Id = "w", LeaseTtlSecs = 1, WaitSecs = 1, GraceSecs = 0 };
        chosen = options?.Invoke(chosen) ?? chosen;
        var quick = new WorkerTimings
        {
            RetryFirst = TimeSpan.FromMilliseconds(20),
            RetryMost = TimeSpan.FromMilliseconds(100),
            IdlePause = TimeSpan.FromMilliseconds(20),
            CancelCheck = TimeSpan.FromMilliseconds(50),
            LogInterval = TimeSpan.FromMilliseconds(20),
            Kill = TimeSpan.FromMilliseconds(300),
        };
        quick = timings?.Invoke(quick) ?? quick;
        client = new BrokerClient(chosen, quick);
        var variables = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .ToDictionary(v => (string)v.Key, v => (string?)v.Value ?? "", StringComparer.Ordinal);
        var launcher = new JobLauncher(new EnvironmentPolicy(chosen, variables), chosen.Workspace, descendants);
        loop = new WorkerLoop(client, launcher, chosen, quick, new WorkerLog(new LockedWriter(log)));
        run = Task.Run(() => loop.RunAsync(stopping.Token, hurry.Token));
    }

    public string Log
    {
        get
        {
            lock (log) return log.ToString();
        }
    }

    public Task Logged(string part) => Eventually.True(() => Log.Contains(part, StringComparison.Ordinal), $"'{part}' in the log");

    public async Task StopAsync()
    {
        await stopping.CancelAsync();
        await run.WaitAsync(TimeSpan.FromSeconds(15));
    }

    public async ValueTask DisposeAsync()
    {
        await hurry.CancelAsync();
        await StopAsync();
        loop.Dispose();
        descendants.Dispose();
        client.Dispose();
        stopping.Dispose();
        hurry.Dispose();
    }

    private sealed class LockedWriter(StringBuilder log) : TextWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public override void WriteLine(string? value)
        {
            lock (log) log.AppendLine(value);
        }
    }
}
