using System.Security.Cryptography;
using System.Text.Json;
using Broker.Auth;
using Broker.Operators.Bulk;
using Broker.Storage.Contracts;

namespace Broker.Operators;

internal sealed partial class OperatorService
{
    private const int SampledRuns = 10;
    private const int ShownWorkflows = 20;

    /// <summary>Runs that may differ between a trial and its start, whatever their number.</summary>
    private const int FewRuns = 10;

    private static readonly TimeSpan ConfirmFor = TimeSpan.FromMinutes(10);

    public async Task<BulkPlan> PlanBulkAsync(NewBulk bulk, CancellationToken ct)
    {
        BulkRequests.Check(bulk);
        CheckReason(bulk.Reason);
        Demand(bulk.Action!);
        var asOf = await bulks.NowAsync(ct);
        var order = new BulkOrder(bulk.Action!, bulk.Args ?? new(), bulk.Exclude ?? [], bulk.Where, asOf);
        var matched = bulk.Ids is { } ids ? await NamedAsync(order, ids, ct) : await MatchAsync(order, ct);
        var isStarted = bulk.DryRun is false;
        var record = await bulks.AddAsync(RecordOf(bulk, order, isStarted), bulk.Ids is null ? [] : ItemsOf(matched.Runs), ct);
        if (isStarted) await NoteAsync("bulk_start", record);
        var refused = matched.Runs.Select(order.WhyNot).ToList();
        return new(
            record.Id, record.Action, StateOf(record.Phase), asOf, new(matched.Runs.Count, matched.IsCapped), matched.IsComplete,
            CountsOf(matched.Runs, run => RunWords.Of(run.Status)), [.. CountsOf(matched.Runs, run => run.Ref.Workflow).Take(ShownWorkflows)],
            refused.Count(why => why is null),
            [
                .. refused.Where(why => why is not null).Select(why => why!.Value.Message).Concat(Enumerable.Repeat("There is no such run.", matched.Absent)).CountBy(why => why)
                    .OrderByDescending(why => why.Value).Select(why => new ReasonCount(why.Key, why.Value)),
            ],
            [.. matched.Runs.Take(SampledRuns).Select(run => new BulkRun(run.Ref.Workflow, run.Ref.InstanceId, run.Ref.Number, RunWords.Of(run.Status), run.CreatedAt))],
            isStarted ? null : record.Confirm, isStarted ? null : record.CreatedAt + ConfirmFor);
    }

    public async Task<BulkState> StartBulkAsync(long id, BulkStart start, CancellationToken ct)
    {
        CheckReason(start.Reason);
        if (start.Confirm is null) throw BadMember("confirm", "expected the token of the trial");
        if (start.Count is not >= 0) throw BadMember("count", "expected the number of runs that the trial said");
        var bulk = await FindBulkAsync(id, ct);
        Demand(bulk.Action);
        if (bulk.KeyId != Caller.Current.Id) throw new OperatorException(StatusCodes.Status409Conflict, "other_key", "Another key tried this action: try it with this key.");
        if (bulk.Phase is not BulkPhase.Planned) throw NotPlanned(bulk);
        if (bulk.CreatedAt + ConfirmFor < await bulks.NowAsync(ct)) throw new OperatorException(StatusCodes.Status409Conflict, "expired", "The token of the trial is over: try the action again.");
        if (start.Confirm != bulk.Confirm) throw new OperatorException(StatusCodes.Status409Conflict, "wrong_token", "This is not the token of the trial.", "/confirm");
        var count = bulk.Where is null ? bulk.Total : (await MatchAsync(new BulkOrder(bulk), ct)).Runs.Count;
        var differ = Math.Abs(count - start.Count.Value);
        if (differ > FewRuns && differ > start.Count.Value / 100.0)
            throw new OperatorException(StatusCodes.Status409Conflict, "changed", $"{count} runs fit now, and {start.Count} were confirmed: try the action again.", "/count");
        if (!await bulks.StartAsync(id, start.Reason, ct)) throw NotPlanned(await FindBulkAsync(id, ct));
        var started = await FindBulkAsync(id, ct);
        await NoteAsync("bulk_start", started);
        return StateOf(started);
    }

    public async Task<BulkState> StopBulkAsync(long id, BulkStop stop, CancellationToken ct)
    {
        CheckReason(stop.Reason);
        var bulk = await FindBulkAsync(id, ct);
        if (!await bulks.StopAsync(id, stop.Reason, ct)) throw new OperatorException(StatusCodes.Status409Conflict, "not_allowed", $"The action is {StateOf((await FindBulkAsync(id, ct)).Phase)}.");
        await NoteAsync("bulk_stop", bulk with { Reason = stop.Reason });
        return StateOf(await FindBulkAsync(id, ct));
    }

    public async Task<Listing<BulkState>> ListBulkAsync(string? cursor, int limit, CancellationToken ct)
    {
        var list = ListPage.Read(cursor, "bulk", 1);
        var page = await bulks.ListAsync(list.Place?.Numbers[0], Caller.Current.Limit, limit, ct, list.IsBackward);
        return list.Of(page.Rows, bulk => new(bulk.Id), StateOf, page.HasMore, engine.Now);
    }

    public async Task<BulkState> GetBulkAsync(long id, CancellationToken ct) => StateOf(await FindBulkAsync(id, ct));

    public async Task<Listing<BulkResult>> ListBulkResultsAsync(long id, BulkResultQuery query, CancellationToken ct)
    {
        var bulk = await FindBulkAsync(id, ct);
        var list = ListPage.Read(query.Cursor, $"bulk {id} {string.Join(',', query.Outcomes)}", 1);
        var behind = (int)Math.Clamp(list.Place?.Numbers[0] ?? 0, 0, int.MaxValue);
        var page = await bulks.ResultsAsync(id, query.Outcomes.Count == 0 ? null : [.. query.Outcomes.Select(RunWords.OutcomeOf)], behind, query.Limit, ct, list.IsBackward);
        return list.Of(
            page.Rows, row => new(row.Item.Seq),
            row => new BulkResult(
                row.Item.Workflow, row.Item.InstanceId, row.Item.Number, RunWords.Of(row.Outcome), row.Code, row.Message,
                row.Outcome is BulkOutcome.Done && bulk.Action is (RunActions.Retry or RunActions.Restart) ? row.Item.Number + 1 : null),
            page.HasMore, engine.Now);
    }

    private static void Demand(string action)
    {
        if (BulkOrder.May(Caller.Current, action)) return;
        throw new OperatorException(StatusCodes.Status403Forbidden, "missing_scope", $"The action {action} needs the scope {ScopeWords.Of(RunActions.ScopeOf(action))[0]} beside manage.");
    }

    private async Task<BulkRecord> FindBulkAsync(long id, CancellationToken ct) =>
        await bulks.FindAsync(id, ct) is { } bulk && (Caller.Current.Limit is not { } limit || bulk.Workflows?.All(limit.Contains) is true)
            ? bulk : throw OperatorException.NotFound($"There is no action {id} on many runs.");

    private static OperatorException NotPlanned(BulkRecord bulk) =>
        new(StatusCodes.Status409Conflict, "not_allowed", $"The action is {StateOf(bulk.Phase)}: it starts once.");

    private Task NoteAsync(string action, BulkRecord bulk) =>
        trail.RecordAsync(action, detail: $"bulk {bulk.Id}: {bulk.Action} {bulk.Where ?? "named runs"}{(bulk.Reason is null ? "" : $" ({bulk.Reason})")}");

    // Up to the bound of counts.
    private async Task<Matched> MatchAsync(BulkOrder order, CancellationToken ct)
    {
        var found = await search.ChooseAsync(order.Filter(Caller.Current.Limit), null, Limits.LargestCount, ct);
        return new([.. found.Rows.Where(run => !order.IsExcluded(run.Ref))], found.Next is not null && found.SearchedTo is null, found.SearchedTo is null);
    }

    private async Task<Matched> NamedAsync(BulkOrder order, IReadOnlyList<RunAddress> ids, CancellationToken ct)
    {
        var named = ids.Distinct().ToList();
        var filter = order.Filter(Caller.Current.Limit) with { Instances = [.. named.Select(run => run.Instance).Distinct(StringComparer.Ordinal).Select(id => new NameMatch(id, IsPrefix: false))] };
        var found = new Dictionary<RunAddress, ChosenRun>();
        ChosenRuns page;
        RunListPlace? after = null;
        do
        {
            page = await search.ChooseAsync(filter, after, Limits.LargestCount, ct);
            foreach (var run in page.Rows)
            {
                found[new(run.Ref.Workflow, run.Ref.InstanceId, run.Ref.Number)] = run;
                if (run.IsNewest) found[new(run.Ref.Workflow, run.Ref.InstanceId)] = run;
            }

            after = page.Next;
        }
        while (after is not null);
        var runs = named.Where(found.ContainsKey).Select(run => found[run]).DistinctBy(run => run.Ref.Id).Where(run => !order.IsExcluded(run.Ref)).ToList();
        return new(runs, IsCapped: false, IsComplete: true) { Absent = named.Count(run => !found.ContainsKey(run)) };
    }

    private static BulkRecord RecordOf(NewBulk bulk, BulkOrder order, bool isStarted) => new()
    {
        Phase = !isStarted ? BulkPhase.Planned : bulk.Ids is null ? BulkPhase.Collecting : BulkPhase.Running,
        Action = order.Action,
        Where = bulk.Where,
        ArgsJson = bulk.Args is null ? null : JsonSerializer.Serialize(bulk.Args, OperatorJson.Default.BulkArguments),
        ExcludeJson = bulk.Exclude is null ? null : JsonSerializer.Serialize(bulk.Exclude, OperatorJson.Default.IReadOnlyListRunAddress),
        Rate = bulk.Rate,
        KeyId = Caller.Current.Id,
        Workflows = Caller.Current.Limit,
        Reason = bulk.Reason,
        Confirm = RandomNumberGenerator.GetHexString(32, lowercase: true),
        AsOf = order.AsOf,
    };

    private static List<BulkItem> ItemsOf(IReadOnlyList<ChosenRun> runs) => [.. runs.Select((run, i) => new BulkItem(i + 1, run.Ref.Id, run.Ref.Workflow, run.Ref.InstanceId, run.Ref.Number))];

    private static IReadOnlyList<KeyCount> CountsOf(IReadOnlyList<ChosenRun> runs, Func<ChosenRun, string> key) =>
        [.. runs.CountBy(key).OrderByDescending(count => count.Value).ThenBy(count => count.Key, StringComparer.Ordinal).Select(count => new KeyCount(count.Key, count.Value))];

    private static BulkState StateOf(BulkRecord bulk) => new()
    {
        Id = bulk.Id,
        Action = bulk.Action,
        State = StateOf(bulk.Phase),
        Where = bulk.Where,
        Args = bulk.ArgsJson is { } args ? JsonSerializer.Deserialize(args, OperatorJson.Default.BulkArguments) : null,
        Rate = bulk.Rate,
        By = bulk.KeyId,
        Reason = bulk.Reason,
        AsOf = bulk.AsOf,
        CreatedAt = bulk.CreatedAt,
        StartedAt = bulk.StartedAt,
        EndedAt = bulk.EndedAt,
        Total = bulk.Total,
        Done = bulk.Done,
        Failed = bulk.Failed,
        Skipped = bulk.Skipped,
        StoppedBecause = bulk.StoppedBecause,
    };

    private static string StateOf(BulkPhase phase) => phase switch
    {
        BulkPhase.Planned => "planned",
        BulkPhase.Collecting => "collecting",
        BulkPhase.Running => "running",
        BulkPhase.Done => "done",
        BulkPhase.Stopped => "stopped",
    };

    private sealed record Matched(IReadOnlyList<ChosenRun> Runs, bool IsCapped, bool IsComplete)
    {
        /// <summary>Named runs that there are not.</summary>
        public int Absent { get; init; }
    }
}
