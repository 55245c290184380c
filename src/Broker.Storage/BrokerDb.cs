using System.Text;
using Broker.Core.Steps;
using Broker.Storage.Model;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage;

/// <summary>The one model of both engines. What SQL says beyond it stands in the migrations.</summary>
internal abstract class BrokerDb(DbContextOptions options) : DbContext(options)
{
    public DbSet<DefinitionRow> Definitions => Set<DefinitionRow>();
    public DbSet<QueueRow> Queues => Set<QueueRow>();
    public DbSet<RunRow> Runs => Set<RunRow>();
    public DbSet<StepRow> Steps => Set<StepRow>();
    public DbSet<InboxRow> Inbox => Set<InboxRow>();
    public DbSet<EventRow> Events => Set<EventRow>();
    public DbSet<StreamRow> Streams => Set<StreamRow>();
    public DbSet<LogLineRow> Logs => Set<LogLineRow>();
    public DbSet<WorkerRow> Workers => Set<WorkerRow>();
    public DbSet<RepositoryRow> Repositories => Set<RepositoryRow>();
    public DbSet<CounterRow> Counters => Set<CounterRow>();

    protected override void OnModelCreating(ModelBuilder model)
    {
        model.Entity<DefinitionRow>(definition =>
        {
            definition.ToTable("definition");
            definition.HasIndex(d => new { d.Name, d.Version }).IsUnique();

            // Serves "the latest of this name".
            definition.HasIndex(d => new { d.Name, d.LatestOrder });
        });
        model.Entity<QueueRow>(queue =>
        {
            queue.ToTable("queue");
            queue.HasIndex(q => q.Key).IsUnique();
        });
        model.Entity<RunRow>(run =>
        {
            run.ToTable("run");
            run.Property(r => r.Id).ValueGeneratedNever();

            // Serves reports by name, lists by descending id, and "one run of each number".
            run.HasIndex(r => new { r.Workflow, r.InstanceId, r.Number }).IsUnique();

            // Serves look-ups by instance id alone.
            run.HasIndex(r => r.InstanceId);
        });
        model.Entity<StepRow>(step =>
        {
            step.ToTable("step");
            step.HasKey(s => new { s.RunId, s.Idx });

            // Serves the claim: only rows that somebody could take, in the order in which they are taken.
            step.HasIndex(s => new { s.QueueId, s.Rank, s.Due, s.Idx }, "ix_step_claim").HasFilter($"status = {(int)StepStatus.Ready}");

            // Serves the reaper and the list of busy workers: as small as the number of live leases. Without the expiry, so that a
            // heartbeat changes no index.
            step.HasIndex(s => new { s.RunId, s.Idx }, "ix_step_leased").HasFilter($"status = {(int)StepStatus.Leased}");

            // Serves timers: sleeps and waits by deadline.
            step.HasIndex(s => s.Due, "ix_step_waiting").HasFilter($"status = {(int)StepStatus.Waiting}");
        });
        model.Entity<InboxRow>(inbox =>
        {
            inbox.ToTable("inbox");
            inbox.HasKey(i => new { i.RunId, i.Id });
        });
        model.Entity<EventRow>(e =>
        {
            e.ToTable("event");
            e.HasKey(x => new { x.RunId, x.Seq });
        });
        model.Entity<StreamRow>(stream =>
        {
            stream.ToTable("stream");
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

        foreach (var entity in model.Model.GetEntityTypes())
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
