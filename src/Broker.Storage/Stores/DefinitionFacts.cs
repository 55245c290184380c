using Broker.Core.Definitions;
using Broker.Storage.Catalog;
using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

internal sealed class DefinitionFacts(DefinitionCache definitions, IPageReads pages) : IDefinitionFacts
{
    public async Task<IReadOnlyList<StoredVersion>> VersionsAsync(string name, int most, CancellationToken ct)
    {
        if (!StorableText.Fits(name)) return [];
        var rows = await pages.RunAsync(db => Slim(db.Definitions.Where(d => d.Name == name).OrderByDescending(d => d.LatestOrder).Take(most)).ToListAsync(ct), ct);
        return rows.ConvertAll(VersionOf);
    }

    public async Task<StoredVersion?> FindAsync(string name, string version, CancellationToken ct)
    {
        if (!StorableText.Fits(name) || !StorableText.Fits(version)) return null;
        return await pages.RunAsync(db => Slim(db.Definitions.Where(d => d.Name == name && d.Version == version)).SingleOrDefaultAsync(ct), ct) is { } row ? VersionOf(row) : null;
    }

    public ValueTask<WorkflowDefinition> GetAsync(StoredVersion version, CancellationToken ct) => definitions.GetAsync(version.Id, ct);

    public async Task<IReadOnlyList<WorkflowDefinition>> WithFingerprintAsync(string fingerprint, CancellationToken ct)
    {
        if (!StorableText.Fits(fingerprint)) return [];
        var ids = await pages.RunAsync(db => db.Definitions.Where(d => d.Fingerprint == fingerprint).OrderBy(d => d.Id).Select(d => d.Id).ToListAsync(ct), ct);
        var found = new List<WorkflowDefinition>(ids.Count);
        foreach (var id in ids) found.Add(await definitions.GetAsync(id, ct));
        return found;
    }

    // Without the document, which may be megabytes.
    private static IQueryable<DefinitionRow> Slim(IQueryable<DefinitionRow> rows) => rows.Select(d => new DefinitionRow
    {
        Id = d.Id,
        Name = d.Name,
        Version = d.Version,
        Fingerprint = d.Fingerprint,
        Document = "",
        RegisteredAt = d.RegisteredAt,
        FromFile = d.FromFile,
        Withdrawn = d.Withdrawn,
    });

    private static StoredVersion VersionOf(DefinitionRow row) => new(row.Id, row.Version, Instants.FromMicros(row.RegisteredAt), row.FromFile, row.Withdrawn);
}
