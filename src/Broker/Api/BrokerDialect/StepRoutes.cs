using Broker.Core.Runs;
using Broker.Engine;
using Broker.Operations.Tracing;
using Broker.Storage.Contracts;

namespace Broker.Api.BrokerDialect;

/// <summary>The hot path: claim and report.</summary>
internal static class StepRoutes
{
    public static async Task ClaimAsync(HttpContext http)
    {
        if (!StepQuery.TryRead(http, out var query, out var answer))
        {
            await answer;
            return;
        }

        var engine = http.Engine();
        if (!await engine.SeenAsync(query.WorkerId, query.Labels, http.RequestAborted))
        {
            await UnknownWorker(http, query.WorkerId);
            return;
        }

        var claimed = await ClaimAsync(http, engine, query, query.Count ?? 1);
        TraceParents.Offer(http.Response, claimed);
        if (query.Count is not null) await AssignmentJson.SendAsync(http, claimed, query.Extras);
        else if (claimed.Count > 0) await AssignmentJson.SendAsync(http, claimed[0], query.Extras);
        else await BrokerResponses.NoContent(http);
    }

    public static async Task ReportAsync(HttpContext http)
    {
        if (!StepQuery.TryRead(http, out var query, out var answer))
        {
            await answer;
            return;
        }

        if (await Requests.ReadAsync(http, ReportReader.Reports) is not { } batch) return;

        var engine = http.Engine();
        if (!batch.IsArray && query.Claim is null)
        {
            await AnswerOne(http, batch.Calls[0].Key, await engine.ReportAsync(Named(query.WorkerId, batch.Calls[0]), http.RequestAborted));
            return;
        }

        if (query.Claim is not null && !await engine.SeenAsync(query.WorkerId, query.Labels, http.RequestAborted))
        {
            await UnknownWorker(http, query.WorkerId);
            return;
        }

        var claim = query.Claim is { } wanted ? query.ToClaim(wanted) : null;
        var (verdicts, next) = await engine.ReportAsync([.. batch.Calls.Select(call => Named(query.WorkerId, call))], claim, http.RequestAborted);
        if (query.Claim is not { } count)
        {
            await JsonAnswer.SendAsync(
                http.Response, StatusCodes.Status200OK, (batch.Calls, verdicts), static (json, all) => VerdictJson.WriteReports(json, all.Calls, all.verdicts));
            return;
        }

        if (next.Count == 0 && query.Wait > TimeSpan.Zero) next = await ClaimAsync(http, engine, query, count);
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, (batch.Calls, verdicts, next, query.Extras), static (json, all) =>
        {
            json.WriteStartObject();
            json.WritePropertyName("results"u8);
            VerdictJson.WriteReports(json, all.Calls, all.verdicts);
            json.WritePropertyName("assignments"u8);
            AssignmentJson.WriteArray(json, all.next, all.Extras);
            json.WriteEndObject();
        });
    }

    public static Task UnknownWorker(HttpContext http, string workerId) =>
        BrokerResponses.Fail(http, StatusCodes.Status404NotFound, $"unknown worker_id '{workerId}': register again");

    private static NamedReport Named(string workerId, StepCall call) =>
        new(workerId, call.Key.Workflow, call.Key.Instance, call.Key.Step, call.Report, call.Key.Lease);

    /// <summary>A purge or retention may have removed the run of a late report, and an error answer ends the stock worker (broker contract 3.9).</summary>
    private static Task AnswerOne(HttpContext http, ReportedStep key, ReportVerdict verdict) => verdict switch
    {
        ReportVerdict.Accepted or ReportVerdict.Stale or ReportVerdict.StepCancelled or ReportVerdict.UnknownRun => BrokerResponses.NoContent(http),
        ReportVerdict.UnknownStep => BrokerResponses.Fail(http, StatusCodes.Status404NotFound, $"no step '{key.Step}' in workflow '{key.Workflow}'"),
    };

    private static async Task<IReadOnlyList<Assignment>> ClaimAsync(HttpContext http, BrokerEngine engine, StepQuery query, int count)
    {
        var claim = query.ToClaim(count);
        var left = query.Wait;
        while (true)
        {
            // A worker that waits is alive: a long wait is cut so that it never looks silent.
            var turn = TimeSpan.FromTicks(Math.Min(left.Ticks, engine.Settings.WorkerTimeout.Ticks / 3));
            var claimed = await engine.ClaimAsync(claim, turn, http.RequestAborted);
            left -= turn;
            if (claimed.Count > 0) return claimed;
            if (left <= TimeSpan.Zero || turn <= TimeSpan.Zero || engine.Stopping.IsCancellationRequested) return claimed;
            await engine.SeenAsync(query.WorkerId, http.RequestAborted);
        }
    }
}
