using Broker.Core.Steps;
using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

internal sealed class Backlog(IDatabase database) : IBacklog
{
    public async Task<IReadOnlyDictionary<string, int>> CountAsync(CancellationToken ct)
    {
        await using var db = database.CreateContext();
        return await db.Steps.Where(s => s.Status == (short)StepStatus.Ready)
            .Join(db.Runs, s => s.RunId, r => r.Id, (s, r) => new { r.Workflow, s.RunId })
            .GroupBy(s => s.Workflow)
            .Select(g => new { Workflow = g.Key, Runs = g.Select(s => s.RunId).Distinct().Count() })
            .ToDictionaryAsync(g => g.Workflow, g => g.Runs, StringComparer.Ordinal, ct);
    }
}
