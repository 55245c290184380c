using System.Globalization;
using System.Net;

namespace Broker.Faults.Harness;

/// <summary>
/// A worker that reports tokens of its own and records the accepted ones. It repeats failed requests, with the next broker if there are
/// several; now and then it sleeps past its lease.
/// </summary>
internal sealed class TokenWorker : IDisposable
{
    public const int LeaseSecs = 2;

    private readonly string id;
    private readonly Ledger ledger;
    private readonly Random random;
    private readonly RetryingClient client;
    private volatile bool dying;

    public TokenWorker(string id, IReadOnlyList<Uri> brokers, Ledger ledger, int seed)
    {
        (this.id, this.ledger, random) = (id, ledger, new(seed));
        client = new RetryingClient(brokers, random, ledger.Defects.Add, ledger.Outage, first: seed);
    }

    /// <summary>Ends like a worker under SIGKILL at the worst moment: it claims one more step and never reports.</summary>
    public void Crash() => dying = true;

    /// <summary>One in this many jobs outlasts its lease; 0 for none.</summary>
    public int OverstayEvery { get; init; }

    /// <summary>The longest that a job takes, in milliseconds; the shortest is a sixth of it.</summary>
    public int WorkMs { get; init; } = 60;

    public async Task RunAsync(CancellationToken ct)
    {
        try
        {
            while (await WorkAsync(ct))
            {
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
        }
    }

    private async Task<bool> WorkAsync(CancellationToken ct)
    {
        var claim = string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"worker_id":"{{id}}","labels":[],"lease_ttl_secs":{{LeaseSecs}},"wait":1,"claim_id":"{{Guid.NewGuid():N}}"}""");
        // Each job by the next broker: a broker that has come back would have no clients, if they stayed where they fled to.
        client.MoveOn();
        var asked = Environment.TickCount64;
        var (_, claimed, _) = await client.PostAsync("api/jobs/claim", claim, ct);
        if (claimed is null) return true;

        var got = Environment.TickCount64;
        var lease = (string)claimed["lease"]!["lease_id"]!;
        var run = (string)claimed["job"]!["workflow_id"]!;
        var step = new StepName(run, (string)claimed["job"]!["job_id"]!);
        ledger.ClaimTimes.Add(got - asked);
        if (dying)
        {
            ledger.Abandoned.Add((step, got));
            return false;
        }

        foreach (var (job, outputs) in claimed["job"]!["upstream_outputs"]!.AsObject())
            ledger.HandedOn.Add((new(run, job), (string?)outputs!["token"] ?? ""));

        var overstays = OverstayEvery > 0 && random.Next(OverstayEvery) == 0;
        await Task.Delay(TimeSpan.FromMilliseconds(overstays ? random.Next(3_200, 4_000) : random.Next(WorkMs / 6, WorkMs)), TimeProvider.System, ct);

        // Milliseconds the two clocks may differ in reading stay on the safe side: the lease began after it was asked for.
        ledger.Held.Add(new(step, lease, got, Math.Min(Environment.TickCount64, asked + (LeaseSecs * 1000) - 20)));
        var token = Guid.NewGuid().ToString("N");
        var (status, _, broke) = await client.PostAsync($"api/jobs/{lease}/complete", $$$"""{"outputs":{"token":"{{{token}}}"}}""", ct);
        if (status is HttpStatusCode.OK) ledger.Accept(step, token);
        else if (status is HttpStatusCode.Conflict) ledger.Refuse(step, token, broke);
        else throw new InvalidOperationException($"A report was answered with {status}.");
        return true;
    }

    public void Dispose() => client.Dispose();
}
