using System.Text;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Contracts;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Broker.Storage.Tables;

/// <summary>
/// The one model of both engines and the only description of the tables: migrations and the hot statements are made from it. Checks stand here, so that
/// both engines get them.
/// </summary>
internal abstract class BrokerDb(DbContextOptions options) : DbContext(options)
{
    public DbSet<DefinitionRow> Definitions => Set<DefinitionRow>();
    public DbSet<QueueRow> Queues => Set<QueueRow>();
    public DbSet<RunRow> Runs => Set<RunRow>();
    public DbSet<RunTagRow> RunTags => Set<RunTagRow>();
    public DbSet<StepRow> Steps => Set<StepRow>();
    public DbSet<StepAttemptRow> Attempts => Set<StepAttemptRow>();
    public DbSet<InboxRow> Inbox => Set<InboxRow>();
    public DbSet<EventRow> Events => Set<EventRow>();
    public DbSet<StreamRow> Streams => Set<StreamRow>();
    public DbSet<LogLineRow> Logs => Set<LogLineRow>();
    public DbSet<LogSizeRow> LogSizes => Set<LogSizeRow>();
    public DbSet<WorkerRow> Workers => Set<WorkerRow>();
    public DbSet<RepositoryRow> Repositories => Set<RepositoryRow>();
    public DbSet<CounterRow> Counters => Set<CounterRow>();
    public DbSet<ApiKeyRow> Keys => Set<ApiKeyRow>();
    public DbSet<SessionRow> Sessions => Set<SessionRow>();
    public DbSet<AuditRow> Audit => Set<AuditRow>();
    public DbSet<StartKeyRow> StartKeys => Set<StartKeyRow>();
    public DbSet<DataKeyRow> DataKeys => Set<DataKeyRow>();
    public DbSet<WorkflowFileRow> WorkflowFiles => Set<WorkflowFileRow>();
    public DbSet<OutboxRow> Outbox => Set<OutboxRow>();
    public DbSet<WebhookRow> Webhooks => Set<WebhookRow>();
    public DbSet<WebhookDeliveryRow> Deliveries => Set<WebhookDeliveryRow>();
    public DbSet<BulkRow> Bulk => Set<BulkRow>();
    public DbSet<BulkItemRow> BulkItems => Set<BulkItemRow>();
    public DbSet<HoldRow> Holds => Set<HoldRow>();
    public DbSet<TriggerRow> Triggers => Set<TriggerRow>();
    public DbSet<ScheduleRow> Schedules => Set<ScheduleRow>();
    public DbSet<ScheduleFiringRow> Firings => Set<ScheduleFiringRow>();

    /// <summary>
    /// Adds to the audit trail, whose rows come by the thousand: one statement for all. Measured: row by row, the trail of the starts took 5 %
    /// of the broker's processor time on PostgreSQL and 14 % on SQLite. There it also held the write turn.
    /// </summary>
    public abstract Task AddAuditAsync(IReadOnlyList<AuditRow> rows, CancellationToken ct);

    /// <summary>Adds runs to an action on many runs, which may be a million: one statement for each page of them.</summary>
    public abstract Task AddBulkItemsAsync(long bulkId, IReadOnlyList<BulkItem> items, CancellationToken ct);

    /// <summary>Names of schedules that are due, the longest due first, locked until the transaction ends. Rows that another one has locked are left out.</summary>
    public abstract IQueryable<string> TakeDueSchedules(long now, int most);

    /// <summary>UTF-8 bytes of a stored text, in a query.</summary>
    [DbFunction("octet_length", IsBuiltIn = true)]
    public static int Octets(string text) => throw new NotSupportedException($"{text.Length}: only the database counts these.");

    /// <summary>Adds to the size of a log; null when it is cut.</summary>
    public async Task<long?> ChargeLogAsync(LogSize size, CancellationToken ct)
    {
        var after = await Database.SqlQuery<long>(
            $"""
            INSERT INTO log_size AS s (run_id, workflow, step, bytes, is_cut) VALUES ({size.RunId}, {size.Workflow}, {size.Step}, {size.Bytes}, false)
            ON CONFLICT (run_id, workflow, step) DO UPDATE SET bytes = s.bytes + excluded.bytes WHERE NOT s.is_cut RETURNING bytes AS "Value"
            """).ToListAsync(ct);
        return after.Count == 0 ? null : after[0];
    }

    protected override void OnModelCreating(ModelBuilder model)
    {
        model.Entity<DefinitionRow>(definition =>
        {
            definition.ToTable("definition");
            definition.HasIndex(d => new { d.Name, d.Version }).IsUnique();

            // Serves "the latest of this name".
            definition.HasIndex(d => new { d.Name, d.LatestOrder });

            // Serves "workflow files first", without a look at documents.
            definition.HasIndex(d => d.FromFile).HasFilter("from_file");

            // Serves expiry.
            definition.HasIndex(d => d.SeenAt).HasFilter("seen_at IS NOT NULL");
        });
        model.Entity<QueueRow>(queue =>
        {
            queue.ToTable("queue");
            queue.HasIndex(q => q.Key).IsUnique();
        });
        model.Entity<RunRow>(run =>
        {
            run.ToTable("run", table =>
            {
                table.HasCheckConstraint("ck_run_phase", $"phase BETWEEN {(int)RunPhase.Active} AND {(int)RunPhase.Cancelled}");
                table.HasCheckConstraint("ck_run_active", "active >= 0");
                table.HasCheckConstraint("ck_run_mail", "mail >= 0");

                // A run has ended when nothing of it is active, and not before.
                table.HasCheckConstraint("ck_run_ended", $"(phase < {(int)RunPhase.Succeeded} AND ended_at IS NULL) OR (phase >= {(int)RunPhase.Succeeded} AND ended_at IS NOT NULL AND active = 0)");
            });
            run.Property(r => r.Id).ValueGeneratedNever();

            // Serves reports by name, lists by descending id, and "one run of each number".
            run.HasIndex(r => new { r.Workflow, r.InstanceId, r.Number }).IsUnique();

            // Serves look-ups by instance id alone.
            run.HasIndex(r => r.InstanceId);

            // Serves "the last run of this workflow", which the jobs dialect asks for each workflow that it lists. Without the index every run
            // of the workflow is read and sorted.
            run.HasIndex(r => new { r.Workflow, r.CreatedAt, r.Id });

            // Serves limits of runs. Nothing of the phase in its condition: a change of phase would then write each index anew.
            run.HasIndex(r => r.Deadline, "ix_run_deadline").HasFilter("deadline IS NOT NULL");

            // Serve lists of failed runs and searches in their errors. A condition on the phase would end PostgreSQL's updates in place of every run;
            // the error changes in failing runs alone.
            run.HasIndex(r => new { r.Workflow, r.CreatedAt, r.Id }, "ix_run_failed").HasFilter("error IS NOT NULL");
            run.HasIndex(r => r.Id, "ix_run_failed_id").HasFilter("error IS NOT NULL");

            // Serves "what was forked from it". Runs that keep steps of no other are not in it.
            run.HasIndex(r => r.FromRun, "ix_run_from").HasFilter("from_run IS NOT NULL");
        });
        model.Entity<RunTagRow>(RunTagRow.Map);
        model.Entity<StepRow>(step =>
        {
            step.ToTable("step", table =>
            {
                table.HasCheckConstraint("ck_step_status", $"status BETWEEN {(int)StepStatus.Ready} AND {(int)StepStatus.NotRun}");
                table.HasCheckConstraint("ck_step_lease", $"status <> {(int)StepStatus.Leased} OR (fence IS NOT NULL AND worker IS NOT NULL AND granted_at IS NOT NULL AND expires_at IS NOT NULL)");
                table.HasCheckConstraint("ck_step_counts", "attempt >= 0 AND losses >= 0");
            });
            step.HasKey(s => new { s.RunId, s.Idx });

            // Statements that make steps ready do not name it.
            step.Property(s => s.Ahead).HasDefaultValue(false);

            // Serves the claim: only rows that a claim could take, in the order in which they are taken.
            step.HasIndex(s => new { s.QueueId, s.Rank, s.Due, s.Idx }, "ix_step_claim").HasFilter($"status = {(int)StepStatus.Ready}");

            // Serves claims that are sent again, by their fences, and the reaper and the list of busy workers. It is as small as the number of
            // live leases. Without the expiry, so that a heartbeat changes no index.
            step.HasIndex(s => s.Fence, "ix_step_leased").HasFilter($"status = {(int)StepStatus.Leased}");

            // Serves timers: sleeps and waits by deadline.
            step.HasIndex(s => s.Due, "ix_step_waiting").HasFilter($"status = {(int)StepStatus.Waiting}");

            // Serves lists of runs under way: with the three above it finds each step that has not ended.
            step.HasIndex(s => s.RunId, "ix_step_paused").HasFilter($"status = {StepRow.Paused}");

            // Serves limits of steps that wait for a worker. Steps without a limit are not in it.
            step.HasIndex(s => s.Deadline, "ix_step_deadline").HasFilter($"status = {(int)StepStatus.Ready} AND deadline IS NOT NULL");
        });
        model.Entity<StepAttemptRow>(attempt =>
        {
            attempt.ToTable("step_attempt", table => table.HasCheckConstraint("ck_step_attempt", $"number > 0 AND outcome BETWEEN 0 AND {(int)AttemptOutcome.Postponed}"));
            attempt.HasKey(a => new { a.RunId, a.Idx, a.Number });
        });
        model.Entity<InboxRow>(inbox =>
        {
            inbox.ToTable("inbox", table => table.HasCheckConstraint("ck_inbox_consumed", "(consumed_by IS NULL) = (delivered_at IS NULL)"));
            inbox.HasKey(i => new { i.RunId, i.Id });

            // Serves events that are sent again. Without those that have no id, so that they cost nothing.
            inbox.HasIndex(i => new { i.RunId, i.ClientId }, "ix_inbox_client").IsUnique().HasFilter("client_id IS NOT NULL");
        });
        model.Entity<EventRow>(e =>
        {
            e.ToTable("event");
            e.HasKey(x => new { x.RunId, x.Seq });
        });
        model.Entity<StreamRow>(stream =>
        {
            stream.ToTable("stream", table => table.HasCheckConstraint("ck_stream_position", "next >= 0 AND read_to >= -1"));
            stream.HasKey(s => s.RunId);
            stream.Property(s => s.RunId).ValueGeneratedNever();
        });
        model.Entity<LogLineRow>(log =>
        {
            log.ToTable("log");

            // Serves the jobs dialect's history and stream.
            log.HasIndex(l => new { l.Workflow, l.Step, l.Id });

            // Serves the instances dialect's history.
            log.HasIndex(l => new { l.RunId, l.Id });
        });
        model.Entity<WorkerRow>(worker => worker.ToTable("worker"));
        model.Entity<RepositoryRow>(repository =>
        {
            repository.ToTable("repository");
            repository.HasKey(r => r.Name);
        });
        model.Entity<CounterRow>(counter =>
        {
            counter.ToTable("counter");
            counter.HasKey(c => c.Name);
        });
        model.Entity<ApiKeyRow>(key => key.ToTable("api_key", table => table.HasCheckConstraint("ck_api_key_hash", "length(hash) = 64")));
        model.Entity<AuditRow>(audit =>
        {
            audit.ToTable("audit");

            // Serves retention, and "since".
            audit.HasIndex(a => a.At);

            // Serves the trail of one workflow. No more than these two indexes: every start writes to each.
            audit.HasIndex(a => new { a.Workflow, a.Id });
        });

        model.Entity<LogSizeRow>(LogSizeRow.Map);
        model.Entity<StartKeyRow>(StartKeyRow.Map);
        model.Entity<DataKeyRow>(DataKeyRow.Map);
        model.Entity<WorkflowFileRow>(WorkflowFileRow.Map);
        model.Entity<OutboxRow>(OutboxRow.Map);
        model.Entity<WebhookRow>(WebhookRow.Map);
        model.Entity<WebhookDeliveryRow>(WebhookDeliveryRow.Map);
        model.Entity<BulkRow>(BulkRow.Map);
        model.Entity<BulkItemRow>(BulkItemRow.Map);
        model.Entity<HoldRow>(HoldRow.Map);
        model.Entity<SessionRow>(SessionRow.Map);
        model.Entity<ScheduleRow>(ScheduleRow.Map);
        model.Entity<TriggerRow>(TriggerRow.Map);
        model.Entity<ScheduleFiringRow>(ScheduleFiringRow.Map);

        NameColumns(model.Model);
    }

    /// <summary>Names columns in snake case.</summary>
    internal static void NameColumns(IMutableModel model)
    {
        foreach (var entity in model.GetEntityTypes())
        {
            foreach (var property in entity.GetProperties()) property.SetColumnName(Snake(property.Name));
        }
    }

    private static string Snake(string name)
    {
        var text = new StringBuilder();
        foreach (var letter in name)
        {
            if (char.IsUpper(letter) && text.Length > 0) text.Append('_');
            text.Append(char.ToLowerInvariant(letter));
        }

        return text.ToString();
    }
}
