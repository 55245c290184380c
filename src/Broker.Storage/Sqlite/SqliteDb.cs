using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace Broker.Storage.Sqlite;

internal sealed class SqliteDb(DbContextOptions<SqliteDb> options) : BrokerDb(options);

/// <summary>For the tool that writes migrations.</summary>
public sealed class SqliteDesign : IDesignTimeDbContextFactory<DbContext>
{
    public DbContext CreateDbContext(string[] args) =>
        new SqliteDb(new DbContextOptionsBuilder<SqliteDb>().UseSqlite("Data Source=design-time-only.db").Options);
}
