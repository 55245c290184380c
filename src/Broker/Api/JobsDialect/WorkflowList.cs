using System.Runtime.CompilerServices;
using Broker.Core.Definitions;
using Broker.Engine;
using Broker.Storage.Contracts;

namespace Broker.Api.JobsDialect;

/// <summary>Workflows with their last runs, read in parts of about the same number of jobs.</summary>
internal static class WorkflowList
{
    /// <summary>Jobs of one part, apart from those of its last workflow.</summary>
    private const int Jobs = 1000;

    private const int Workflows = 100;

    /// <param name="engine">Where they are.</param>
    /// <param name="skip">How many of those that would be listed are left out.</param>
    /// <param name="take">At most that many.</param>
    /// <param name="status">Only workflows with a job in that status; null for all.</param>
    /// <param name="ct">Gives up.</param>
    public static async IAsyncEnumerable<WorkflowView> ReadAsync(
        BrokerEngine engine, int skip, int take, string? status, [EnumeratorCancellation] CancellationToken ct)
    {
        // Without a status, the place in the list decides which workflows are skipped; they are not read.
        var heads = status is null ? InOrderAsync(engine, ct).Skip(skip).Take(take) : InOrderAsync(engine, ct);
        if (status is null) skip = 0;
        await foreach (var part in PartsAsync(engine, heads, ct))
        {
            var runs = await engine.History.LatestOfAsync([.. part.Select(definition => definition.Name)], ct);
            foreach (var definition in part)
            {
                var workflow = WorkflowView.Of(definition, runs.GetValueOrDefault(definition.Name));
                if ((status is not null && !workflow.Has(status)) || skip-- > 0) continue;
                yield return workflow;
                if (--take == 0) yield break;
            }
        }
    }

    private static async IAsyncEnumerable<List<WorkflowDefinition>> PartsAsync(
        BrokerEngine engine, IAsyncEnumerable<DefinitionHead> heads, [EnumeratorCancellation] CancellationToken ct)
    {
        var part = new List<WorkflowDefinition>();
        await foreach (var head in heads)
        {
            part.Add(await engine.DefinitionAsync(head, ct));
            if (part.Count < Workflows && part.Sum(definition => definition.Steps.Length) < Jobs) continue;
            yield return part;
            part = [];
        }

        if (part.Count > 0) yield return part;
    }

    // Workflows from files first, by file name (the dot keeps "a.yml" behind "a-b.yml"), then in order of creation.
    private static async IAsyncEnumerable<DefinitionHead> InOrderAsync(BrokerEngine engine, [EnumeratorCancellation] CancellationToken ct)
    {
        var files = await engine.FileDefinitionsAsync(ct);
        foreach (var file in files.OrderBy(head => $"{head.Name}.", StringComparer.Ordinal)) yield return file;
        var shown = files.Select(head => head.Name).ToHashSet(StringComparer.Ordinal);
        await foreach (var head in engine.DefinitionsAsync(ct))
        {
            if (!shown.Contains(head.Name)) yield return head;
        }
    }
}
