using Broker.Core.Steps;
using Broker.Storage.Lanes;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

/// <summary>How much work waits for workers.</summary>
public interface IBacklog
{
    /// <summary>Runs with a step that no worker has taken, by workflow. Reads the index of claimable steps: it costs what waits, not what was.</summary>
    Task<IReadOnlyDictionary<string, int>> CountAsync(CancellationToken ct);
}

internal sealed class Backlog(IEngine engine) : IBacklog
{
    public async Task<IReadOnlyDictionary<string, int>> CountAsync(CancellationToken ct)
    {
        await using var db = engine.CreateContext();
        return await db.Steps.Where(s => s.Status == (short)StepStatus.Ready)
            .Join(db.Runs, s => s.RunId, r => r.Id, (s, r) => new { r.Workflow, s.RunId })
            .GroupBy(s => s.Workflow)
            .Select(g => new { Workflow = g.Key, Runs = g.Select(s => s.RunId).Distinct().Count() })
            .ToDictionaryAsync(g => g.Workflow, g => g.Runs, StringComparer.Ordinal, ct);
    }
}
