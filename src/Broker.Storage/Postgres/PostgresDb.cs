using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace Broker.Storage.Postgres;

internal sealed class PostgresDb(DbContextOptions<PostgresDb> options) : BrokerDb(options)
{
    protected override void OnModelCreating(ModelBuilder model)
    {
        base.OnModelCreating(model);

        // Plain byte order: ids list the same on every server, whatever its locale.
        model.Entity<Model.RunRow>(run =>
        {
            run.Property(r => r.Workflow).UseCollation("C");
            run.Property(r => r.InstanceId).UseCollation("C");
        });
    }
}

/// <summary>For the tool that writes migrations.</summary>
public sealed class PostgresDesign : IDesignTimeDbContextFactory<DbContext>
{
    public DbContext CreateDbContext(string[] args) =>
        new PostgresDb(new DbContextOptionsBuilder<PostgresDb>().UseNpgsql("Host=design-time-only").Options);
}
