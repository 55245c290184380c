using System.Globalization;
using Broker.Storage.Contracts;
using Broker.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>From an empty database to the one that the model describes.</summary>
public abstract class MigrationConformance : StoreTests
{
    private protected MigrationConformance(ITestEngine engine)
        : base(engine)
    {
    }

    private protected override bool IsMigrated => false;

    private bool IsPostgres => Engine.IsShared;

    [Fact]
    public async Task Two_brokers_may_migrate_at_the_same_moment()
    {
        var peer = Open();
        Assert.NotNull(await Store.Migrator.FaultAsync(Ct));
        await Task.WhenAll(Task.Run(() => Store.Migrator.MigrateAsync(Ct), Ct), Task.Run(() => peer.Migrator.MigrateAsync(Ct), Ct));
        Assert.Null(await Store.Migrator.FaultAsync(Ct));
        await Store.Migrator.MigrateAsync(Ct);
        await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a")), "i");
        Assert.NotNull(await ClaimAsync());
    }

    [Fact]
    public async Task A_database_of_a_newer_version_is_refused()
    {
        await Store.Migrator.MigrateAsync(Ct);
        await Engine.ExecuteAsync("""INSERT INTO "__EFMigrationsHistory" ("MigrationId", "ProductVersion") VALUES ('99990101000000_Later', '99.0.0')""");
        var refusal = await Assert.ThrowsAsync<SchemaMismatchException>(() => Open().Migrator.MigrateAsync(Ct));
        Assert.Contains("99990101000000_Later", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_of_a_build_from_before_the_first_release_is_refused_and_left_as_it_is()
    {
        await Engine.ExecuteAsync("""CREATE TABLE "__EFMigrationsHistory" ("MigrationId" varchar(150) NOT NULL PRIMARY KEY, "ProductVersion" varchar(32) NOT NULL)""");
        await Engine.ExecuteAsync("""INSERT INTO "__EFMigrationsHistory" VALUES ('20261122044517_Initial', '10.0.14'), ('20261122060749_KeysAndAudit', '10.0.14')""");
        await Engine.ExecuteAsync("CREATE TABLE run (id bigint)");
        foreach (var attempt in (Func<Task>[])[() => Store.Migrator.MigrateAsync(Ct), () => Store.Migrator.CheckAsync(Ct), () => Open().Migrator.MigrateAsync(Ct)])
        {
            var refusal = await Assert.ThrowsAsync<SchemaMismatchException>(attempt);
            Assert.Contains("(the first of 2: 20261122044517_Initial)", refusal.Message, StringComparison.Ordinal);
            Assert.Contains("Start with an empty database", refusal.Message, StringComparison.Ordinal);
        }

        Assert.Equal(["run"], await TablesAsync());
        Assert.Equal(["20261122044517_Initial", "20261122060749_KeysAndAudit"], await Engine.QueryAsync("""SELECT "MigrationId" FROM "__EFMigrationsHistory" ORDER BY 1"""));
    }

    [Fact]
    public async Task A_missing_migration_is_named_until_it_is_applied()
    {
        var fault = await Store.Migrator.FaultAsync(Ct);
        Assert.Contains("_Initial", fault, StringComparison.Ordinal);
        var refusal = await Assert.ThrowsAsync<SchemaMismatchException>(() => Store.Migrator.CheckAsync(Ct));
        Assert.Contains("_Initial", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("broker migrate", refusal.Message, StringComparison.Ordinal);

        Assert.NotEmpty(await Open().Migrator.MigrateAsync(Ct));
        Assert.Null(await Store.Migrator.FaultAsync(Ct));
        Assert.Empty(await Store.Migrator.MigrateAsync(Ct));
        await Store.Migrator.CheckAsync(Ct);
    }

    [Fact]
    public async Task A_schema_that_goes_away_is_noticed()
    {
        await Store.Migrator.MigrateAsync(Ct);
        Assert.Null(await Store.Migrator.FaultAsync(Ct));
        await Engine.ExecuteAsync("DROP TABLE run");
        Assert.NotNull(await Store.Migrator.FaultAsync(Ct));
    }

    [Fact]
    public void Every_change_of_the_model_is_in_a_migration()
    {
        using var db = Store.Engine.CreateContext();
        Assert.False(db.Database.HasPendingModelChanges());
    }

    [Fact]
    public async Task The_tables_are_those_of_the_model()
    {
        await Store.Migrator.MigrateAsync(Ct);
        await using var db = Store.Engine.CreateContext();
        var tables = db.GetService<IDesignTimeModel>().Model.GetRelationalModel().Tables.ToList();
        Assert.Equal(tables.Select(t => t.Name).Order(StringComparer.Ordinal), await TablesAsync());
        foreach (var table in tables)
        {
            Assert.Equal(
                table.Columns.Select(c => $"{c.Name} {c.StoreType} {(c.IsNullable ? "null" : "not null")}").Order(StringComparer.Ordinal),
                await ColumnsAsync(table.Name));
            Assert.Equal(table.Indexes.Select(Described).Order(StringComparer.Ordinal), await IndexesAsync(table.Name));
            Assert.Equal(table.PrimaryKey!.Columns.Select(c => c.Name), await KeyAsync(table.Name));
            Assert.Equal(table.CheckConstraints.Select(c => c.Name).Order(StringComparer.Ordinal), await ChecksAsync(table.Name));
        }
    }

    private static string Described(ITableIndex index) =>
        $"{index.Name}({string.Join(",", index.Columns.Select(c => c.Name))}){(index.IsUnique ? " unique" : "")}{(index.Filter is null ? "" : " where " + index.Filter)}";

    private async Task<IEnumerable<string>> TablesAsync() => (await Engine.QueryAsync(IsPostgres
        ? "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE '\\_\\_EF%'"
        : "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_\\_EF%' ESCAPE '\\' AND name NOT LIKE 'sqlite%'")).Order(StringComparer.Ordinal);

    private async Task<IEnumerable<string>> ColumnsAsync(string table) => (await Engine.QueryAsync(IsPostgres
        ? $"""
            SELECT attname || ' ' || format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' not null' ELSE ' null' END
            FROM pg_attribute WHERE attrelid = '"{table}"'::regclass AND attnum > 0 AND NOT attisdropped
            """
        : $"SELECT name || ' ' || type || CASE WHEN \"notnull\" THEN ' not null' ELSE ' null' END FROM pragma_table_info('{table}')")).Order(StringComparer.Ordinal);

    private async Task<IEnumerable<string>> KeyAsync(string table) => await Engine.QueryAsync(IsPostgres
        ? $"""
            SELECT attname FROM pg_index i CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k(num, ord)
            JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.num WHERE i.indrelid = '"{table}"'::regclass AND i.indisprimary ORDER BY k.ord
            """
        : $"SELECT name FROM pragma_table_info('{table}') WHERE pk > 0 ORDER BY pk");

    private async Task<IEnumerable<string>> IndexesAsync(string table) => (await Engine.QueryAsync(IsPostgres
        ? $"""
            SELECT c.relname || '(' || string_agg(a.attname, ',' ORDER BY k.ord) || ')' || CASE WHEN i.indisunique THEN ' unique' ELSE '' END
                || coalesce(' where ' || translate(pg_get_expr(i.indpred, i.indrelid), '()', ''), '')
            FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k(num, ord)
            JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.num
            WHERE i.indrelid = '"{table}"'::regclass AND NOT i.indisprimary
            GROUP BY c.relname, i.indisunique, i.indpred, i.indrelid
            """
        : $"""
            SELECT l.name || '(' || (SELECT group_concat(name, ',') FROM (SELECT name FROM pragma_index_info(l.name) ORDER BY seqno)) || ')' || CASE WHEN l."unique" THEN ' unique' ELSE '' END
                || CASE WHEN l.partial THEN (SELECT ' where ' || substr(sql, instr(sql, ' WHERE ') + 7) FROM sqlite_master WHERE name = l.name) ELSE '' END
            FROM pragma_index_list('{table}') l WHERE l.origin = 'c'
            """)).Order(StringComparer.Ordinal);

    private async Task<IEnumerable<string>> ChecksAsync(string table)
    {
        if (IsPostgres) return await Engine.QueryAsync($"SELECT conname FROM pg_constraint WHERE conrelid = '\"{table}\"'::regclass AND contype = 'c' ORDER BY conname COLLATE \"C\"");
        var sql = (await Engine.QueryAsync($"SELECT sql FROM sqlite_master WHERE type = 'table' AND name = '{table}'"))[0];
        return sql.Split("CONSTRAINT \"").Skip(1).Where(c => c.Contains("\" CHECK", StringComparison.Ordinal)).Select(c => c[..c.IndexOf('"', StringComparison.Ordinal)]).Order(StringComparer.Ordinal);
    }

    [Theory]
    [InlineData("UPDATE step SET status = 10")]
    [InlineData("UPDATE step SET status = 0")]
    [InlineData("UPDATE step SET status = 2, fence = 1, worker = 'w', granted_at = 1, expires_at = NULL")]
    [InlineData("UPDATE step SET status = 2, fence = NULL")]
    [InlineData("UPDATE run SET phase = 6, ended_at = 1, active = 0")]
    [InlineData("UPDATE run SET phase = 3, ended_at = 1")]
    [InlineData("UPDATE run SET phase = 3, active = 0")]
    [InlineData("UPDATE run SET active = -1")]
    public async Task The_schema_refuses_rows_that_no_rule_can_write(string statement)
    {
        await Store.Migrator.MigrateAsync(Ct);
        await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a")), "i");
        var refusal = await Assert.ThrowsAnyAsync<System.Data.Common.DbException>(() => Engine.ExecuteAsync(statement));
        Assert.Contains("check", refusal.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Hot_tables_have_room_for_new_versions_and_frequent_vacuums()
    {
        if (!IsPostgres) Assert.Skip("SQLite has no storage settings.");
        await Store.Migrator.MigrateAsync(Ct);
        foreach (var (table, fill) in ((string, int)[])[("step", 85), ("run", 45)])
        {
            var options = (await Engine.QueryAsync(string.Create(CultureInfo.InvariantCulture, $"SELECT unnest(reloptions) FROM pg_class WHERE relname = '{table}'"))).Order(StringComparer.Ordinal);
            Assert.Equal(["autovacuum_vacuum_cost_delay=0", "autovacuum_vacuum_scale_factor=0.02", "autovacuum_vacuum_threshold=2000", $"fillfactor={fill}"], options);
        }
    }
}
