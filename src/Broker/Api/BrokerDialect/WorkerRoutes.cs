using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Json;
using Broker.Http;
using Broker.Storage.Contracts;

namespace Broker.Api.BrokerDialect;

/// <summary>Workers: registration, sign of life, listing.</summary>
internal static class WorkerRoutes
{
    public static async Task RegisterAsync(HttpContext http)
    {
        using var turn = new DefinitionTurn();
        if (await BrokerRequests.ReadAsync(http, ReadAll, turn) is not { } definitions) return;

        var (distinct, conflict) = Distinct(definitions);
        if (conflict is not null)
        {
            await Mismatch(http, conflict);
            return;
        }

        var (id, outcome) = await http.Engine().RegisterWorkerAsync(distinct, http.RequestAborted);
        await (id is not null ? BrokerResponses.Text(http, id) : Refused(http, outcome));
    }

    /// <summary>Why definitions were not stored.</summary>
    public static Task Refused(HttpContext http, RegisterOutcome outcome) => outcome.Full is { } full
        ? BrokerResponses.Fail(
            http,
            StatusCodes.Status429TooManyRequests,
            $"workflow '{full.Name}' has {http.Engine().Settings.Limits.Versions} versions, as many as Broker:Limits:Versions allows: "
            + "register under a version that is known, or raise the limit; versions that no worker and no run uses are removed after Broker:DefinitionRetention")
        : Mismatch(http, outcome.Conflict!);

    public static async Task KeepAliveAsync(HttpContext http)
    {
        if (!StepQuery.TryRead(http, out var query, out var answer))
        {
            await answer;
            return;
        }

        DrainNotice.Offer(http.Response, http.Engine(), query.WorkerId);
        await (await http.Engine().SeenAsync(query.WorkerId, http.RequestAborted) ? BrokerResponses.NoContent(http) : StepRoutes.UnknownWorker(http, query.WorkerId));
    }

    public static async Task ListAsync(HttpContext http)
    {
        var engine = http.Engine();
        await using var answer = new JsonStream(http.Response);
        answer.Json.WriteStartArray();
        await foreach (var worker in engine.WorkersAsync(WorkerKind.Registered, engine.Now - engine.Settings.WorkerTimeout, http.RequestAborted))
        {
            JsonSerializer.Serialize(answer.Json, Shown(worker), BrokerJson.Default.WorkerInfo);
            await answer.RowAsync(http.RequestAborted);
        }

        answer.Json.WriteEndArray();
        await answer.EndAsync(http.RequestAborted);
    }

    private static Task Mismatch(HttpContext http, WorkflowDefinition conflict) => BrokerResponses.Fail(
        http,
        StatusCodes.Status409Conflict,
        $"workflow schema mismatch: '{conflict.Name}' version '{conflict.Version}' is known with a different definition");

    private static List<WorkflowDefinition>? ReadAll(JsonElement body, BrokerReader reader)
    {
        if (body.ValueKind is not JsonValueKind.Array)
        {
            reader.Add("", $"expected an array of workflow schemas, got {JsonText.KindOf(body)}");
            return null;
        }

        var definitions = new List<WorkflowDefinition>(body.GetArrayLength());
        var place = 0;
        foreach (var item in body.EnumerateArray())
        {
            reader.Place = place++;
            var reading = DefinitionReader.Read(item, reader.Limits.Steps);
            if (reading.Definition is { } definition) definitions.Add(definition);
            foreach (var problem in reading.Problems) reader.Add(problem.Path, problem.Message);
        }

        reader.Place = null;
        return definitions;
    }

    /// <summary>The same definition twice in one registration is one; two different ones under the same name conflict.</summary>
    private static (IReadOnlyList<WorkflowDefinition> Distinct, WorkflowDefinition? Conflict) Distinct(List<WorkflowDefinition> definitions)
    {
        var known = new Dictionary<(string, string), WorkflowDefinition>(definitions.Count);
        foreach (var definition in definitions)
        {
            if (!known.TryAdd((definition.Name, definition.Version), definition)
                && known[(definition.Name, definition.Version)].Fingerprint != definition.Fingerprint)
            {
                return ([], definition);
            }
        }

        return ([.. known.Values], null);
    }

    private static WorkerInfo Shown(WorkerView worker) => new(
        worker.Id,
        new(worker.RegisteredAt),
        new(worker.SeenAt),
        worker.LastTask is { } task ? new(task.Workflow, task.InstanceId, task.Step, task.Success) : null);
}
