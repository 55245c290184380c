using Broker.Storage.Contracts;
using Broker.Storage.Diagnostics;
using Broker.Storage.Dispatch.Commands;
using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch;

/// <summary>
/// One transaction for all commands that wait: resolve → load → decide → write → complete. It loads the runs that they name, lets the rules decide on
/// one command after the other, and writes all rows at once. It then grants steps, so that a claim can get a step that became ready here. A commit costs
/// more than all the rest together, so sharing it makes the broker fast.
/// </summary>
/// <param name="transaction">The transaction in the database.</param>
/// <param name="services">Parts that all transactions use.</param>
/// <param name="commands">The callers' commands; claims of <see cref="IClaimSource"/>s are added.</param>
/// <param name="takesClaims">Whether sources may add claims.</param>
internal sealed class BatchTransaction(IBatchTransaction transaction, BatchServices services, List<StoreCommand> commands, bool takesClaims)
{
    private readonly int epoch = services.Epoch.Number;
    private readonly BatchContext batch = new(transaction, services, commands);
    private readonly IPendingClaims?[] pending = new IPendingClaims?[services.Sources.Length];
    private readonly List<Appended> appended = [];
    private StepGrants? grants;

    /// <summary>Whether there is anything to commit. Claims that find no step succeed on a full disk too.</summary>
    public bool HasWritten => !batch.Changes.IsEmpty || Granted.Count > 0 || appended.Count > 0 || batch.Changes.Lines.Count > 0;

    private IReadOnlyList<ClaimedRow> Granted => grants?.Rows ?? [];

    /// <summary>Everything but the commit.</summary>
    public void Execute()
    {
        var repeated = RepeatedClaims.Find(transaction, commands);
        var loader = new RunLoader(batch);
        loader.Resolve();
        var now = ServeMaps(Decide(loader.Load()));
        repeated?.Mark(batch.Sessions);
        new RunConcluder(batch).Conclude();
        new ChangeCollector(batch).Collect();
        AddClaims(now);
        Write(new LeaseRenewals(batch, repeated));
    }

    /// <summary>Commits, answers the callers and signals the changes.</summary>
    public void Commit()
    {
        services.Epoch.Require(epoch);
        Complete(transaction.Commit(grants?.Upstream ?? [], batch.Changes.Lines));
    }

    // Each command has an instant of its own, so that steps are queued in the order of the commands.
    private DateTimeOffset Decide(DateTimeOffset now)
    {
        foreach (var command in commands)
        {
            now = now.AddMicroseconds(1);
            command.Decide(batch, now);
            now = now.AddMicroseconds(command.FurtherInstants);
        }

        return now;
    }

    // Items begin and maps end after all commands: one look at a map for all of its items that ended here.
    private DateTimeOffset ServeMaps(DateTimeOffset now)
    {
        foreach (var (id, session) in batch.Sessions)
        {
            if (!session.HasMovedMaps) continue;
            now = now.AddMicroseconds(1);
            session.ServeMaps(new MapReads(batch, batch.Runs[id].Ref), now);
        }

        return now;
    }

    // A waiting claim gets a step that becomes ready here in this transaction: half the time of a second transaction and its commit.
    private void AddClaims(DateTimeOffset now)
    {
        batch.LowerCursors();
        if (takesClaims && batch.ReadySteps.Count > 0)
        {
            var until = now.ToMicros();
            var ready = batch.ReadySteps.Where(step => step.Due <= until).Select(step => step.QueueId).ToList();
            var unclaimed = ready.Count - commands.OfType<ClaimCommand>().Where(claim => claim.Limit is null).Sum(claim => claim.Request.Count);
            foreach (var source in services.Sources)
            {
                if (unclaimed <= 0) break;
                var before = commands.Count;
                source.AddForReadySteps(ready, unclaimed, commands);
                unclaimed -= commands.Count - before;
            }
        }

        for (var i = 0; i < pending.Length; i++) pending[i] = services.Sources[i].ForReports(commands, takesClaims);
    }

    private void Write(LeaseRenewals renewals)
    {
        var changes = batch.Changes;
        var claims = ClaimGroup.AllOf(Claims(), services.Cursors);
        renewals.Collect();
        if (claims.Count > 0)
        {
            // With the events of granted steps: streams are locked in order of run, so each transaction locks them in one statement.
            appended.AddRange(changes.Events);
            changes.Events.Clear();
        }

        var (claimed, renewed) = transaction.Write(changes, claims);
        renewals.Answer(renewed);
        if (claimed.Count > 0)
        {
            grants = new StepGrants(batch, claimed);
            appended.AddRange(grants.Events());
        }

        if (appended.Count > 0) transaction.AppendEvents(appended);
        FitLogs();
    }

    // A claim whose queues are of another history of the database finds no step this time.
    private IEnumerable<ClaimCommand> Claims() =>
        commands.OfType<ClaimCommand>().Concat(pending.SelectMany(claims => claims?.Claims ?? [])).Where(claim => services.Queues.IsCurrent(claim.Queues));

    private void FitLogs()
    {
        var (limit, lines) = (services.LogLimit, batch.Changes.Lines);
        if (limit.Bytes == 0 || lines.Count == 0) return;
        var sizes = limit.Sizes(lines);
        var cut = limit.Fit(lines, sizes, transaction.ChargeLogs(sizes));
        if (cut.Count > 0) transaction.CutLogs(cut);
    }

    private void Complete(IReadOnlyList<(StepKey Step, string? Result)> results)
    {
        grants?.HandOut(results);
        batch.LowerCursors();

        // Before the callers are answered. A worker may claim at once, and a client that has paused a run must not see a step of it handed out.
        var turned = TurnedRuns();
        foreach (var source in services.Sources) source.Committed(commands, turned);
        foreach (var claims in pending) claims?.Committed();
        CompletionDispatcher.Complete(commands);
        OutcomeCounts.Add(batch);
        Signal();
    }

    private List<long>? TurnedRuns()
    {
        List<long>? turned = null;
        foreach (var (id, session) in batch.Sessions)
        {
            if (session.Run.Phase != batch.Runs[id].State.Phase) (turned ??= []).Add(id);
        }

        return turned;
    }

    private void Signal()
    {
        // A step that was granted here is not ready for others.
        var granted = batch.ReadySteps.Count > 0 ? Granted.Select(row => new StepKey(row.RunId, row.Index)).ToHashSet() : [];
        foreach (var step in batch.ReadySteps)
        {
            if (!granted.Contains(step.Step)) services.Signals.Ready(step.QueueId, step.Due);
        }

        foreach (var (id, session) in batch.Sessions)
        {
            if (session.EndedNow || session.Published.Count > 0) services.Signals.Signal(Topics.Run(id));
            StorageMetrics.CountTimeOuts(session.ReachedLimits);
        }

        foreach (var row in Granted)
        {
            if (row.Streams) services.Signals.Signal(Topics.Run(row.RunId));
        }

        if (batch.Changes.Outbox is not null) services.Signals.Signal(Topics.Outbox);
        if (services.Hints.IsWatched) new RunHints(services.Hints).Note(batch, Granted);
        services.Signals.SignalLogs(batch.Changes.Lines.Select(line => (line.Workflow, line.Step)));
    }
}
