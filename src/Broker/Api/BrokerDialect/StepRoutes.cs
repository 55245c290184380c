using System.Text.Json;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Http;
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

        var claimed = await engine.ClaimAsync(query.ToClaim(query.Count ?? 1), query.Wait, http.RequestAborted);
        TraceParents.Offer(http.Response, claimed);
        DrainNotice.Offer(http.Response, engine, query.WorkerId);
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

        if (await BrokerRequests.ReadAsync(http, ReportReader.Reports) is not { } batch) return;

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
            await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, BrokerStatuses.Of(batch.Calls, verdicts), BrokerJson.Default.StepVerdictArray);
            return;
        }

        DrainNotice.Offer(http.Response, engine, query.WorkerId);
        if (next.Count == 0 && query.Wait > TimeSpan.Zero) next = await engine.ClaimAsync(query.ToClaim(count), query.Wait, http.RequestAborted);
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, (batch.Calls, verdicts, next, query.Extras), static (json, all) =>
        {
            json.WriteStartObject();
            json.WritePropertyName("results"u8);
            JsonSerializer.Serialize(json, BrokerStatuses.Of(all.Calls, all.verdicts), BrokerJson.Default.StepVerdictArray);
            json.WritePropertyName("assignments"u8);
            AssignmentJson.WriteArray(json, all.next, all.Extras);
            json.WriteEndObject();
        });
    }

    public static Task UnknownWorker(HttpContext http, string workerId) =>
        BrokerResponses.Fail(http, StatusCodes.Status404NotFound, $"unknown worker_id '{workerId}': register again", "unknown_worker");

    private static NamedReport Named(string workerId, StepCall call) =>
        new(workerId, call.Key.Workflow, call.Key.Instance, call.Key.Step, call.Report, call.Key.Lease);

    /// <summary>A purge or retention may have removed the run of a late report, and an error answer ends the stock worker (broker contract 3.9).</summary>
    private static Task AnswerOne(HttpContext http, ReportedStep key, ReportVerdict verdict) => verdict switch
    {
        ReportVerdict.Accepted or ReportVerdict.Stale or ReportVerdict.StepCancelled or ReportVerdict.UnknownRun => BrokerResponses.NoContent(http),
        ReportVerdict.UnknownStep => BrokerResponses.Fail(http, StatusCodes.Status404NotFound, $"no step '{key.Step}' in workflow '{key.Workflow}'", LostLease.Code(LeaseLoss.UnknownStep)),
    };
}
