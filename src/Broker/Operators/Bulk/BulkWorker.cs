using Broker.Audit;
using Broker.Core.Runs;
using Broker.Engine;
using Broker.Storage.Contracts;

namespace Broker.Operators.Bulk;

/// <summary>
/// Performs an action on some runs at a time. Each run is judged again: it must fit still, and its status must allow the action. A command on a run
/// writes the outcome with its change. A broker that is killed leaves no run without an outcome that it has acted on. Tags and events are the same when
/// they are sent again.
/// </summary>
internal sealed class BulkWorker(BrokerEngine engine, IRunSearch search, AuditTrail trail)
{
    private static readonly BulkEnd NoMatch = new(0, BulkOutcome.Skipped, "no_match", "The run does not fit any more.");

    /// <summary>One outcome for each run.</summary>
    public async Task<IReadOnlyList<BulkEnd>> ActAsync(BulkRecord bulk, BulkOrder order, IReadOnlyList<string>? limit, IReadOnlyList<BulkItem> items, CancellationToken ct)
    {
        var fitting = (await search.FitAsync(order.Filter(limit), [.. items.Select(item => item.RunId)], ct)).ToDictionary(run => run.Ref.Id);
        var why = $"bulk {bulk.Id}{(bulk.Reason is null ? "" : $": {bulk.Reason}")}";
        if (order.Action == RunActions.Tag) return await TagAsync(order, items, fitting, why, ct);
        return await Task.WhenAll(items.Select(async item =>
        {
            if (!fitting.TryGetValue(item.RunId, out var run)) return NoMatch with { Seq = item.Seq };
            return order.WhyNot(run) is var (code, message) ? new BulkEnd(item.Seq, BulkOutcome.Skipped, code, message) : await ActAsync(bulk, order, item, why, ct);
        }));
    }

    private async Task<BulkEnd> ActAsync(BulkRecord bulk, BulkOrder order, BulkItem item, string why, CancellationToken ct)
    {
        try
        {
            var fault = order.Action switch
            {
                RunActions.Retry => FaultOf(await engine.RerunAsync(new(item.Workflow, item.InstanceId) { Number = item.Number, Steps = order.Arguments.Steps }, ct, why, new(bulk.Id, item.Seq))),
                RunActions.SendEvent => await SendAsync(bulk, order, item, why, ct),
                _ => FaultOf((await ControlAsync(bulk, order, item, why, ct)).Verdict),
            };
            return fault is var (code, message) ? new(item.Seq, BulkOutcome.Skipped, code, message) : new(item.Seq, BulkOutcome.Done);
        }
        catch (Exception fault) when (!ct.IsCancellationRequested && fault is not StoreUnavailableException)
        {
            return new(item.Seq, BulkOutcome.Failed, "fault", RunWords.Cut(fault.Message, Limits.ListedMessage));
        }
    }

    private Task<(ControlVerdict Verdict, RunRef? Run)> ControlAsync(BulkRecord bulk, BulkOrder order, BulkItem item, string why, CancellationToken ct)
    {
        var command = order.Action switch
        {
            RunActions.Pause => ControlCommand.Pause,
            RunActions.Resume => ControlCommand.Resume,
            RunActions.Restart => ControlCommand.Restart,
            RunActions.Delete => ControlCommand.Purge,
            _ => ControlCommand.Cancel,
        };

        // A deletion is about all runs of the instance: this one was found to be the newest.
        var only = command is ControlCommand.Purge ? (int?)null : item.Number;
        return engine.ControlAsync(
            item.Workflow, item.InstanceId, command, ct, order.Action == RunActions.Delete ? null : order.Action, only, TimeSpan.FromMilliseconds(order.Arguments.GraceMs ?? 0), why,
            new(bulk.Id, item.Seq));
    }

    private async Task<(string Code, string Message)?> SendAsync(BulkRecord bulk, BulkOrder order, BulkItem item, string why, CancellationToken ct)
    {
        // The id of the event: sent again to the same run, it is taken once.
        var (verdict, _) = await engine.SendAsync(item.Workflow, item.InstanceId, order.Arguments.Type!, order.Arguments.Value?.Text, order.Arguments.Step, Delivery.First, ct, $"bulk-{bulk.Id}");
        if (verdict is not (SendVerdict.Delivered or SendVerdict.Kept)) return verdict is SendVerdict.RunTerminal ? ("not_allowed", "The run has ended.") : ("not_found", "There is no such run any more.");
        await trail.NoteAsync(RunActions.SendEvent, item.Workflow, item.InstanceId, why);
        return null;
    }

    private async Task<IReadOnlyList<BulkEnd>> TagAsync(BulkOrder order, IReadOnlyList<BulkItem> items, Dictionary<long, ChosenRun> fitting, string why, CancellationToken ct)
    {
        var full = new HashSet<long>();
        await search.TagAsync(
            [.. fitting.Keys],
            (id, before) =>
            {
                if (order.TryTag(before, out var after)) return after;
                full.Add(id);
                return before;
            },
            ct);
        foreach (var item in items.Where(item => fitting.ContainsKey(item.RunId) && !full.Contains(item.RunId))) await trail.NoteAsync(RunActions.Tag, item.Workflow, item.InstanceId, why);
        return
        [
            .. items.Select(item => !fitting.ContainsKey(item.RunId) ? NoMatch with { Seq = item.Seq }
                : full.Contains(item.RunId) ? new BulkEnd(item.Seq, BulkOutcome.Skipped, "not_allowed", $"The run would have more than {RunTags.Most} tags.")
                : new BulkEnd(item.Seq, BulkOutcome.Done)),
        ];
    }

    private static (string Code, string Message)? FaultOf(ControlVerdict verdict) => verdict switch
    {
        ControlVerdict.Done => null,
        ControlVerdict.NoChange or ControlVerdict.Terminal => ("not_allowed", "Its status does not allow the action any more."),
        ControlVerdict.UnknownRun => ("not_newest", RunActions.NotNewest),
    };

    private static (string Code, string Message)? FaultOf(RerunOutcome outcome) => outcome.Verdict switch
    {
        RerunVerdict.Started or RerunVerdict.Planned => null,
        RerunVerdict.UnknownRun => ("not_newest", RunActions.NotNewest),
        RerunVerdict.UnknownStep => ("invalid", $"There is no step '{outcome.Step}' in its definition."),
        RerunVerdict.StillActive => ("not_allowed", "The run has not ended."),
        RerunVerdict.NothingFailed => ("not_allowed", RunActions.NothingFailed),
        RerunVerdict.AlreadyExists or RerunVerdict.InputsRefused => ("invalid", "The definition does not take the run's inputs any more."),
    };
}
