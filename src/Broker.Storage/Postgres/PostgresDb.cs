using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Broker.Storage.Postgres;

internal sealed class PostgresDb : BrokerDb
{
    private const int StepFill = 85;

    // More than half of a page of runs stays free. Runs of one page change at the same time, and an update that stays on its page writes no
    // index entry.
    private const int RunFill = 45;

    /// <summary>Saves in a transaction always: see <see cref="CommitInterceptor"/>.</summary>
    public PostgresDb(DbContextOptions<PostgresDb> options)
        : base(options) => Database.AutoTransactionBehavior = AutoTransactionBehavior.Always;

    protected override void OnModelCreating(ModelBuilder model)
    {
        base.OnModelCreating(model);

        // Plain byte order: ids list the same on every server, whatever its locale.
        model.Entity<RunRow>(run =>
        {
            run.Property(r => r.Workflow).UseCollation("C");
            run.Property(r => r.InstanceId).UseCollation("C");
            Hot(run, RunFill);
        });
        model.Entity<ScheduleRow>(schedule => schedule.Property(s => s.Name).UseCollation("C"));
        model.Entity<StepRow>(step => Hot(step, StepFill));
    }

    public override Task AddAuditAsync(IReadOnlyList<AuditRow> rows, CancellationToken ct)
    {
        long[] at = [.. rows.Select(r => r.At)];
        string[] keys = [.. rows.Select(r => r.KeyId)], actions = [.. rows.Select(r => r.Action)];
        string?[] workflows = [.. rows.Select(r => r.Workflow)], instances = [.. rows.Select(r => r.InstanceId)], details = [.. rows.Select(r => r.Detail)];
        return Database.ExecuteSqlAsync(
            $"""
            INSERT INTO audit (at, key_id, action, workflow, instance_id, detail)
            SELECT * FROM unnest({at}::bigint[], {keys}::text[], {actions}::text[], {workflows}::text[], {instances}::text[], {details}::text[])
            """,
            ct);
    }

    public override Task AddBulkItemsAsync(long bulkId, IReadOnlyList<BulkItem> items, CancellationToken ct)
    {
        int[] seqs = [.. items.Select(i => i.Seq)], numbers = [.. items.Select(i => i.Number)];
        long[] runs = [.. items.Select(i => i.RunId)];
        string[] workflows = [.. items.Select(i => i.Workflow)], instances = [.. items.Select(i => i.InstanceId)];
        return Database.ExecuteSqlAsync(
            $"""
            INSERT INTO bulk_item (bulk_id, seq, run_id, workflow, instance_id, number, outcome)
            SELECT {bulkId}, *, 0 FROM unnest({seqs}::integer[], {runs}::bigint[], {workflows}::text[], {instances}::text[], {numbers}::integer[])
            """,
            ct);
    }

    public override IQueryable<string> TakeDueSchedules(long now, int most) =>
        Database.SqlQuery<string>($"SELECT name AS \"Value\" FROM schedule WHERE next_at <= {now} ORDER BY next_at LIMIT {most} FOR UPDATE SKIP LOCKED");

    // A row is rewritten several times within seconds and then stays as it is. Room on its page keeps its versions together, and vacuum
    // starts at a few thousand dead rows instead of 20 % of the history.
    private static void Hot<TRow>(EntityTypeBuilder<TRow> table, int fill)
        where TRow : class => table
            .HasStorageParameter("fillfactor", fill)
            .HasStorageParameter("autovacuum_vacuum_scale_factor", 0.02)
            .HasStorageParameter("autovacuum_vacuum_threshold", 2000)
            .HasStorageParameter("autovacuum_vacuum_cost_delay", 0);
}

/// <summary>Makes the context for dotnet-ef, which writes migrations and opens no database.</summary>
internal sealed class PostgresDesign : IDesignTimeDbContextFactory<PostgresDb>
{
    public PostgresDb CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<PostgresDb>().UseNpgsql("Host=design-time-only").Options);
}
