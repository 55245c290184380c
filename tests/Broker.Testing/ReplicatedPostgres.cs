using System.Globalization;
using Npgsql;

namespace Broker.Testing;

/// <summary>
/// Two PostgreSQL servers, the second a streaming standby of the first. A promotion exchanges their parts: <see cref="UrlOf"/> names both, so a
/// client finds the primary whichever it is. Durable, and both end with this process.
/// </summary>
public sealed class ReplicatedPostgres : IAsyncDisposable
{
    private readonly string[] settings;
    private readonly int[] ports;
    private PrivatePostgres primary;
    private PrivatePostgres? standby;
    private PrivatePostgres? former;
    private readonly Dictionary<PrivatePostgres, int> frozen = [];
    private bool synchronous;

    private ReplicatedPostgres(PrivatePostgres primary, PrivatePostgres standby, string[] settings) =>
        (this.primary, this.standby, this.settings, ports) = (primary, standby, settings, [primary.Port, standby.Port]);

    /// <summary>Starts both and returns when the standby follows. Without PostgreSQL the test is skipped, as <see cref="PostgresCluster.Require"/> says.</summary>
    public static async Task<ReplicatedPostgres> StartAsync(params string[] settings)
    {
        PostgresCluster.Require();
        var bin = PostgresCluster.FindBinaries() ?? throw new InvalidOperationException("Replication needs the installed binaries.");

        // A standby that has just lost its primary looks at a promotion when this wait is over: 5 s as PostgreSQL comes.
        string[] all = ["max_connections=200", "wal_keep_size=256MB", "wal_retrieve_retry_interval=100ms", .. settings];
        var primary = PrivatePostgres.Start(bin, loopback: true, all);
        try
        {
            await UntilAsync(primary, "SELECT NOT pg_is_in_recovery()");
            var servers = new ReplicatedPostgres(primary, PrivatePostgres.Start(bin, loopback: true, all, primary), all);
            await servers.UntilFollowingAsync();
            return servers;
        }
        catch
        {
            await primary.DisposeAsync();
            throw;
        }
    }

    /// <summary>postgres://postgres@host:port,host:port/database: the server that is the primary now and the other one, in the order of their start.</summary>
    public string UrlOf(string database) => $"postgres://postgres@{string.Join(',', ports.Select(port => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}")))}/{database}";

    /// <summary>The primary alone, as a connection string.</summary>
    public string PrimaryOf(string database) => To(primary, database);

    /// <summary>The standby alone, as a connection string.</summary>
    public string StandbyOf(string database) => To(Standby, database);

    /// <summary>Whether there is a standby at present: not after a promotion, until <see cref="AddStandbyAsync"/>.</summary>
    public bool HasStandby => standby is not null;

    public Task CreateDatabaseAsync(string database) => ExecuteAsync(primary, $"CREATE DATABASE {database}");

    /// <summary>Whether commits on the primary wait for the standby. Holds for the next primary too.</summary>
    public async Task SynchronousAsync(bool on)
    {
        synchronous = on;
        await SetSynchronousAsync(primary, on);
    }

    /// <summary>SIGKILL for the primary. <see cref="PromoteAsync"/> is what follows.</summary>
    public Task KillPrimaryAsync() => primary.KillAsync();

    /// <summary>Stops the primary as an operator does who switches over: the standby has every commit.</summary>
    public Task StopPrimaryAsync() => primary.StopAsync();

    /// <summary>Kills the standby: it is gone until <see cref="AddStandbyAsync"/>.</summary>
    public async Task KillStandbyAsync()
    {
        await Standby.KillAsync();
        await Standby.DisposeAsync();
        standby = null;
    }

    /// <summary>Ends the replication: the standby gets no later commit of the primary. A promotion then loses it.</summary>
    public async Task DetachStandbyAsync()
    {
        await ExecuteAsync(Standby, "ALTER SYSTEM SET primary_conninfo = ''", "SELECT pg_reload_conf()");
        await UntilAsync(primary, "SELECT count(*) = 0 FROM pg_stat_replication");
    }

    /// <summary>SIGSTOP for the standby and its processes: it confirms no commit, and its connections stay. It replays later the WAL that has reached its machine. Returns the number of stopped processes.</summary>
    public int FreezeStandby() => Freeze(Standby);

    /// <summary>Ends <see cref="FreezeStandby"/>.</summary>
    public void ThawStandby() => Thaw(Standby);

    /// <summary>SIGSTOP for the primary and its processes.</summary>
    public int FreezePrimary() => Freeze(primary);

    /// <summary>Ends <see cref="FreezePrimary"/>, also when the other server has been promoted since.</summary>
    public void ThawPrimary() => Thaw(this.former is { } former && frozen.ContainsKey(former) ? former : primary);

    /// <summary>
    /// Makes the standby the primary; returns when it takes writes. The former primary, dead or not, takes no part any more: commits on the new one
    /// wait for no standby until <see cref="AddStandbyAsync"/>.
    /// </summary>
    public async Task PromoteAsync()
    {
        var next = Standby;
        await SetSynchronousAsync(next, on: false);
        await next.PromoteAsync();
        (former, primary, standby) = (primary, next, null);
    }

    /// <summary>A new standby of the present primary, in the place of the former primary or of the standby that was killed.</summary>
    public async Task AddStandbyAsync()
    {
        if (standby is not null) throw new InvalidOperationException("There is a standby.");

        if (former is not null)
        {
            Thaw(former);
            await former.DisposeAsync();
            former = null;
        }

        standby = PrivatePostgres.Start(PostgresCluster.FindBinaries()!, loopback: true, settings, primary, OtherPort());
        await UntilFollowingAsync();
        await SetSynchronousAsync(primary, synchronous);
    }

    /// <summary>Returns when the standby has replayed all that the primary has written.</summary>
    public async Task UntilCaughtUpAsync() =>
        await Eventually.TrueAsync(async () =>
            await ScalarAsync(primary, "SELECT bool_and(replay_lsn >= pg_current_wal_lsn()) FROM pg_stat_replication") is true);

    public async ValueTask DisposeAsync()
    {
        foreach (var server in (PrivatePostgres?[])[standby, former, primary])
        {
            if (server is not null)
            {
                Thaw(server);
                await server.DisposeAsync();
            }
        }
    }

    private PrivatePostgres Standby => standby ?? throw new InvalidOperationException("There is no standby.");

    private int Freeze(PrivatePostgres server)
    {
        frozen[server] = server.ServerPid;
        return ProcessTree.Freeze(server.ServerPid);
    }

    // A server that stands still cannot be ended.
    private void Thaw(PrivatePostgres server)
    {
        if (frozen.Remove(server, out var pid)) ProcessTree.Thaw(pid);
    }

    private int OtherPort() => ports.Single(port => port != primary.Port);

    // Asked of the standby: to the primary the copying of its files is a stream too.
    private Task UntilFollowingAsync() => UntilAsync(Standby, "SELECT count(*) = 1 FROM pg_stat_wal_receiver WHERE status = 'streaming'");

    private static string To(PrivatePostgres server, string database) =>
        new NpgsqlConnectionStringBuilder(server.AdminConnectionString) { Database = database }.ConnectionString;

    private static async Task SetSynchronousAsync(PrivatePostgres server, bool on)
    {
        var name = on ? "standby" : "";
        await ExecuteAsync(server, $"ALTER SYSTEM SET synchronous_standby_names = '{name}'", "SELECT pg_reload_conf()");
        await UntilAsync(server, $"SELECT current_setting('synchronous_standby_names') = '{name}'");
    }

    private static Task UntilAsync(PrivatePostgres server, string condition) => Eventually.TrueAsync(
        async () =>
        {
            try
            {
                return await ScalarAsync(server, condition) is true;
            }
            catch (NpgsqlException) when (!server.HasExited)
            {
                return false;
            }
        },
        TimeSpan.FromSeconds(90));

    private static async Task<object?> ScalarAsync(PrivatePostgres server, string sql)
    {
        await using var connection = new NpgsqlConnection(server.AdminConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    private static async Task ExecuteAsync(PrivatePostgres server, params string[] statements)
    {
        await using var connection = new NpgsqlConnection(server.AdminConnectionString);
        await connection.OpenAsync();
        foreach (var sql in statements)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync();
        }
    }
}
