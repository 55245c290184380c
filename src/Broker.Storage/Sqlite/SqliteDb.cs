using System.Text.Json;
using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace Broker.Storage.Sqlite;

internal sealed class SqliteDb(DbContextOptions<SqliteDb> options) : BrokerDb(options)
{
    public override Task AddAuditAsync(IReadOnlyList<AuditRow> rows, CancellationToken ct)
    {
        var json = JsonSerializer.Serialize(rows.Select(r => new object?[] { r.At, r.KeyId, r.Action, r.Workflow, r.InstanceId, r.Detail }));
        return Database.ExecuteSqlAsync(
            $"""
            INSERT INTO audit (at, key_id, action, workflow, instance_id, detail)
            SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each({json})
            """,
            ct);
    }

    public override Task AddBulkItemsAsync(long bulkId, IReadOnlyList<BulkItem> items, CancellationToken ct)
    {
        var json = JsonSerializer.Serialize(items.Select(i => new object[] { i.Seq, i.RunId, i.Workflow, i.InstanceId, i.Number }));
        return Database.ExecuteSqlAsync(
            $"""
            INSERT INTO bulk_item (bulk_id, seq, run_id, workflow, instance_id, number, outcome)
            SELECT {bulkId}, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, 0 FROM json_each({json})
            """,
            ct);
    }

    // Its single writer needs no lock.
    public override IQueryable<string> TakeDueSchedules(long now, int most) =>
        Schedules.Where(s => s.NextAt != null && s.NextAt <= now).OrderBy(s => s.NextAt).Take(most).Select(s => s.Name);
}

/// <summary>Makes the context for dotnet-ef, which writes migrations and opens no database.</summary>
internal sealed class SqliteDesign : IDesignTimeDbContextFactory<SqliteDb>
{
    public SqliteDb CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<SqliteDb>().UseSqlite("Data Source=design-time-only.db").Options);
}
