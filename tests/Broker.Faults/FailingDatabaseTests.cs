using System.Globalization;
using Broker.Faults.Harness;
using Broker.Testing;
using Npgsql;
using Xunit;

namespace Broker.Faults;

/// <summary>PostgreSQL in trouble of every kind under a broker that is not restarted.</summary>
public sealed class FailingDatabaseTests
{
    private const string Backends = "FROM pg_stat_activity WHERE application_name LIKE 'broker%' AND pid <> pg_backend_pid()";

    [Fact]
    public async Task The_broker_recovers_after_its_backends_were_terminated()
    {
        var terminated = 0L;
        await SurviveAsync(new()
        {
            Name = "terminated backends",
            Lasts = false,
            Begin = async site => terminated = (long)(await site.SqlAsync($"SELECT count(pg_terminate_backend(pid)) {Backends}"))!,
            Lift = _ => Task.CompletedTask,
        });
        Effort.Print(string.Create(CultureInfo.InvariantCulture, $"{terminated} backends terminated"));
        Assert.True(terminated >= 3, "two lanes and the listener");
    }

    [Fact]
    public async Task The_broker_recovers_after_other_clients_took_all_connections()
    {
        await using var postgres = DurableCluster.New("max_connections=40");
        var others = new List<NpgsqlConnection>();
        try
        {
            await SurviveAsync(postgres, new()
            {
                Name = "exhausted connections",
                Begin = async site => await TakeAllAsync(postgres, site, others),
                Lift = async _ => await LetGoAsync(others),
            });
        }
        finally
        {
            await LetGoAsync(others);
        }
    }

    [Fact]
    public async Task The_broker_recovers_after_the_database_was_read_only()
    {
        await using var postgres = DurableCluster.New();
        await SurviveAsync(postgres, new()
        {
            Name = "read-only",
            Begin = async _ => await AdminAsync(postgres, "ALTER SYSTEM SET default_transaction_read_only = on"),
            Lift = async _ => await AdminAsync(postgres, "ALTER SYSTEM RESET default_transaction_read_only"),
        });
    }

    [Fact]
    public async Task The_broker_recovers_after_the_database_was_frozen()
    {
        await using var postgres = DurableCluster.New();
        var frozen = 0;
        try
        {
            await SurviveAsync(postgres, new()
            {
                Name = "freeze",
                Begin = _ =>
                {
                    frozen = postgres.Freeze();
                    return Task.CompletedTask;
                },
                TookEffect = async (_, load, _) =>
                {
                    Assert.True(frozen > 5, $"{frozen} processes");
                    Assert.Equal(0, await load.RateAsync(TimeSpan.FromSeconds(Effort.Of(2, 6)), TestContext.Current.CancellationToken));
                },
                Lift = _ =>
                {
                    postgres.Thaw();
                    return Task.CompletedTask;
                },
            });
        }
        finally
        {
            postgres.Thaw();
        }
    }

    [Fact]
    public async Task The_broker_recovers_after_the_disk_was_full()
    {
        await using var postgres = DurableCluster.New();
        SmallDisk? disk = null;
        try
        {
            var options = new SiteOptions
            {
                Prepare = async database =>
                {
                    disk = SmallDisk.Mount(64, UserOf(postgres.ProcessId));
                    var name = new NpgsqlConnectionStringBuilder(database).Database;
                    await AdminAsync(postgres, $"CREATE TABLESPACE small LOCATION '{disk.Path}'");
                    await AdminAsync(postgres, $"ALTER DATABASE {name} SET TABLESPACE small");
                },
            };
            await SurviveAsync(
                postgres,
                new()
                {
                    Name = "full disk",
                    Begin = _ =>
                    {
                        Effort.Print(string.Create(CultureInfo.InvariantCulture, $"{disk!.Fill() / 1024} kB filled"));
                        return Task.CompletedTask;
                    },
                    Lift = _ =>
                    {
                        disk!.Free();
                        return Task.CompletedTask;
                    },
                },
                options);
        }
        finally
        {
            disk?.Dispose();
        }
    }

    private static async Task SurviveAsync(Outage outage)
    {
        await using var postgres = DurableCluster.New();
        await SurviveAsync(postgres, outage);
    }

    private static async Task SurviveAsync(PostgresCluster postgres, Outage outage, SiteOptions? options = null)
    {
        PostgresCluster.Require();
        await using (await postgres.OpenAdminAsync()) Assert.SkipWhen(postgres.ProcessId == 0, "A server that was given is not ours to harm.");
        await using var site = await Site.OpenAsync(Database.Postgres, postgres, options ?? new());
        await outage.SurviveAsync(site);
    }

    // Others connect for as long as there is room, and the broker's own backends go, until none of them comes back.
    private static async Task TakeAllAsync(PostgresCluster postgres, Site site, List<NpgsqlConnection> others)
    {
        await using var admin = await postgres.OpenAdminAsync();
        var direct = new NpgsqlConnectionStringBuilder(site.ConnectionString) { Pooling = false, ApplicationName = "other" }.ConnectionString;
        await Eventually.TrueAsync(
            async () =>
            {
                while (await ConnectAsync(direct) is { } other) others.Add(other);
                await using var left = new NpgsqlCommand($"SELECT count(pg_terminate_backend(pid)) {Backends}", admin);
                return (long)(await left.ExecuteScalarAsync())! == 0;
            },
            TimeSpan.FromSeconds(30),
            "no connection is left for the broker");
        Effort.Print(string.Create(CultureInfo.InvariantCulture, $"{others.Count} connections taken by others"));
    }

    private static async Task<NpgsqlConnection?> ConnectAsync(string connectionString)
    {
        var connection = new NpgsqlConnection(connectionString);
        try
        {
            await connection.OpenAsync();
            return connection;
        }
        catch (PostgresException full) when (full.SqlState == PostgresErrorCodes.TooManyConnections)
        {
            await connection.DisposeAsync();
            return null;
        }
    }

    private static async Task LetGoAsync(List<NpgsqlConnection> others)
    {
        foreach (var other in others) await other.DisposeAsync();
        others.Clear();
    }

    private static async Task AdminAsync(PostgresCluster postgres, string sql)
    {
        await using var admin = await postgres.OpenAdminAsync();
        foreach (var statement in (string[])["SET default_transaction_read_only = off", sql, "SELECT pg_reload_conf()"])
        {
            await using var command = new NpgsqlCommand(statement, admin);
            await command.ExecuteNonQueryAsync();
        }
    }

    private static int UserOf(int process) =>
        int.Parse(File.ReadLines($"/proc/{process}/status").First(l => l.StartsWith("Uid:", StringComparison.Ordinal)).Split('\t')[1], CultureInfo.InvariantCulture);
}
