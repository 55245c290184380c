using System.Diagnostics;
using System.Threading.Channels;
using Broker.Storage.Contracts;
using Broker.Storage.Signals;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Broker.Storage.Postgres;

/// <summary>
/// Exchanges signals with other brokers, as hints only. Signals are gathered for 2 ms and sent outside the transactions that they
/// come from. A NOTIFY inside takes a lock that all commits of the server would queue for.
/// </summary>
internal sealed partial class PostgresListener(PostgresEngine engine, SignalHub hub, IWaitingClaims waiting, PostgresTopics topics, ILogger<PostgresListener> log) : IPeerLink
{
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan CountPeers = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    // Between two looks for lost signals. Also without a known peer: behind a pooler peers are neither received nor counted.
    private static readonly TimeSpan LookDeaf = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LookWithPeers = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LookAlone = TimeSpan.FromSeconds(5);

    private readonly Channel<string> outbox = Channel.CreateBounded<string>(new BoundedChannelOptions(10_000) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
    private readonly string self = Guid.NewGuid().ToString("N")[..12];
    private volatile bool hasPeers;
    private volatile bool listens;

    public bool IsDeaf => !listens;

    public async Task RunAsync(CancellationToken ct)
    {
        // A pooler gives the connection that listens to the next client: its notifications are lost, so every change is found by looking.
        if (engine.IsPooled)
        {
            await LookAsync(ct);
            return;
        }

        hub.Signalled += topic =>
        {
            if (hasPeers) outbox.Writer.TryWrite(topic);
        };
        await Task.WhenAll(ListenAsync(ct), SendAsync(ct), LookAsync(ct));
    }

    private async Task ListenAsync(CancellationToken ct)
    {
        var pause = TimeSpan.FromMilliseconds(50);
        while (!ct.IsCancellationRequested)
        {
            try
            {
                var settings = new NpgsqlConnectionStringBuilder(engine.ConnectionString) { Pooling = false, KeepAlive = 15, ApplicationName = $"broker-listen-{self}" };
                await using var connection = new NpgsqlConnection(settings.ConnectionString);
                await connection.OpenAsync(ct);
                connection.Notification += (_, message) => Receive(message.Payload);
                await using (var listen = new NpgsqlCommand($"LISTEN {PostgresEngine.Channel}", connection)) await listen.ExecuteNonQueryAsync(ct);
                await engine.NotifyAsync([$"{self} hello"], ct);
                listens = true;
                await waiting.PollAsync(ct);
                pause = TimeSpan.FromMilliseconds(50);
                while (true) await connection.WaitAsync(ct);
            }
            catch (Exception fault) when (!ct.IsCancellationRequested)
            {
                listens = false;
                LogLost(log, fault.Message, pause);
                await Task.Delay(pause, TimeProvider.System, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task LookAsync(CancellationToken ct)
    {
        var looked = long.MinValue;
        while (!ct.IsCancellationRequested)
        {
            await Task.Delay(LookDeaf, TimeProvider.System, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var due = !listens ? LookDeaf : hasPeers ? LookWithPeers : LookAlone;
            if (ct.IsCancellationRequested || (looked != long.MinValue && Stopwatch.GetElapsedTime(looked) < due - LookDeaf / 2)) continue;
            looked = Stopwatch.GetTimestamp();
            try
            {
                await hub.LookAsync(topics, ct);
            }
            catch (Exception fault) when (!ct.IsCancellationRequested)
            {
                LogLost(log, fault.Message, LookWithPeers);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private void Receive(string payload)
    {
        var space = payload.IndexOf(' ', StringComparison.Ordinal);
        if (space < 0 || payload.AsSpan(0, space).SequenceEqual(self)) return;
        hasPeers = true;
        foreach (var topic in payload[(space + 1)..].Split('\n'))
        {
            if (topic.StartsWith('q') && topic.Split(':') is [var queue, var due] && int.TryParse(queue.AsSpan(1), out var id) && long.TryParse(due, out var at)) hub.ReceiveReady(id, at);
            else hub.Receive(topic);
        }
    }

    private async Task SendAsync(CancellationToken ct)
    {
        var counted = long.MinValue;
        while (!ct.IsCancellationRequested)
        {
            try
            {
                using var timer = CancellationTokenSource.CreateLinkedTokenSource(ct);
                timer.CancelAfter(CountPeers);
                try
                {
                    await outbox.Reader.WaitToReadAsync(timer.Token);
                    await Task.Delay(Gathering, TimeProvider.System, ct);
                }
                catch (OperationCanceledException) when (!ct.IsCancellationRequested)
                {
                    // No signal to send: time to count.
                }

                var topics = new HashSet<string>(StringComparer.Ordinal);
                while (outbox.Reader.TryRead(out var topic)) topics.Add(topic);
                if (topics.Count > 0) await engine.NotifyAsync([.. topics.Chunk(100).Select(some => $"{self} {string.Join('\n', some)}")], ct);
                if (counted != long.MinValue && Stopwatch.GetElapsedTime(counted) < CountPeers) continue;
                counted = Stopwatch.GetTimestamp();
                hasPeers = await engine.CountListenersAsync(ct) > 1;
            }
            catch (Exception fault) when (!ct.IsCancellationRequested)
            {
                LogLost(log, fault.Message, CountPeers);
                await Task.Delay(CountPeers, TimeProvider.System, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Notifications are interrupted ({Reason}); polling meanwhile, next try in {Pause}")]
    private static partial void LogLost(ILogger logger, string reason, TimeSpan pause);
}
