using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using Broker.Testing;

namespace Broker.Faults.Harness;

/// <summary>Clients in loops: each starts a run of two steps, claims two steps and reports each with a result of its own.</summary>
internal sealed class FailoverClients : IAsyncDisposable
{
    private const int LeaseSecs = 4;
    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(Effort.Of(90, 120));

    private readonly CancellationTokenSource stop = new();
    private readonly ReplicatedSite site;
    private readonly string prefix;
    private readonly Task working;
    private int broken;
    private volatile bool drains;

    public FailoverClients(ReplicatedSite site, int count)
    {
        (this.site, prefix) = (site, string.Create(CultureInfo.InvariantCulture, $"r{site.NextRound()}"));
        working = Task.WhenAll(Enumerable.Range(0, count).Select(client => Task.Run(() => LoopAsync(client))));
    }

    public Acknowledgements Acknowledged { get; } = new();

    /// <summary>Starts that were answered neither 2xx nor 503.</summary>
    public ConcurrentBag<string> FailedStarts { get; } = [];

    /// <summary>5xx other than 503.</summary>
    public ConcurrentBag<string> Defects { get; } = [];

    /// <summary>Attempts that broke or were answered 503.</summary>
    public int Broken => Volatile.Read(ref broken);

    /// <summary>Awaits further accepted reports.</summary>
    public Task MoreAsync(int reports)
    {
        var before = Acknowledged.ReportCount;
        return UntilAsync(() => Task.FromResult(Acknowledged.ReportCount >= before + reports), $"{reports} more accepted reports");
    }

    /// <summary>Repeats starts that were acknowledged and lost, under the same key.</summary>
    public async Task StartAgainAsync(IEnumerable<string> instances)
    {
        using var client = Client(new Random(0), 0);
        foreach (var instance in instances) await StartAsync(client, instance, CancellationToken.None);
    }

    /// <summary>Starts no more, awaits the end of all runs, and lets the clients go.</summary>
    public async Task DrainAsync()
    {
        drains = true;
        await UntilAsync(async () => await site.SqlAsync<long>($"SELECT count(*) FROM run WHERE ended_at IS NULL AND instance_id LIKE '{prefix}-%'") == 0, "the end of all runs");
        await stop.CancelAsync();
        await working;
    }

    public Task UntilAsync(Func<Task<bool>> condition, string what) => Eventually.TrueAsync(
        async () =>
        {
            if (working.IsFaulted) await working;
            return await condition();
        },
        WaitLimit,
        what);

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await working.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.Dispose();
    }

    private RetryingClient Client(Random random, int first) =>
        new(site.Addresses, random, Defects.Add, _ => Interlocked.Increment(ref broken), first);

    private async Task LoopAsync(int number)
    {
        using var client = Client(new Random(number), number);
        try
        {
            for (var i = 0; ; i++)
            {
                if (!drains) await StartAsync(client, string.Create(CultureInfo.InvariantCulture, $"{prefix}-{number}-{i}"), stop.Token);
                for (var step = 0; step < 2; step++) await WorkAsync(client, number);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }

    private async Task StartAsync(RetryingClient client, string instance, CancellationToken ct)
    {
        var (status, _, _) = await client.PostAsync($"api/workflows/{site.Workflow}/instances", $$"""{"id":"{{instance}}"}""", ct, key: instance);
        if ((int)status is >= 200 and < 300) Acknowledged.Started(instance);
        else FailedStarts.Add($"{instance}: {status}");
    }

    private async Task WorkAsync(RetryingClient client, int number)
    {
        // Both brokers have clients at all times.
        client.MoveOn();
        var claim = $$"""{"worker_id":"w-{{number}}","labels":[],"lease_ttl_secs":{{LeaseSecs}},"wait":1,"claim_id":"{{Guid.NewGuid():N}}"}""";
        var (_, claimed, _) = await client.PostAsync("api/jobs/claim", claim, stop.Token);
        if (claimed is null) return;
        var (job, asked) = (claimed["job"]!, client.Sent);
        var instance = ((string)job["workflow_id"]!).Split('~')[1];
        foreach (var (of, outputs) in job["upstream_outputs"]!.AsObject()) Acknowledged.Given(new(instance, of), (string?)outputs!["token"] ?? "none", asked);
        var token = Guid.NewGuid().ToString("N");
        var (status, _, _) = await client.PostAsync($"api/jobs/{claimed["lease"]!["lease_id"]}/complete", $$$"""{"outputs":{"token":"{{{token}}}"}}""", stop.Token);
        if (status is HttpStatusCode.OK) Acknowledged.Reported(new(instance, (string)job["job_id"]!), token);
    }
}
