using System.Diagnostics;
using System.Globalization;
using System.Net;
using Npgsql;
using Xunit;

namespace Broker.Testing;

/// <summary>
/// The server that BROKER_TEST_POSTGRES names, or a private one from the installed binaries: an assembly fixture.
/// It starts with the first database that a test needs. BROKER_TEST_POOLER (host:port) is a pooler in transaction mode before the named
/// server: statements of tests go through it, the creation of databases does not.
/// </summary>
public sealed class PostgresCluster : IAsyncDisposable
{
    private const string ServerVariable = "BROKER_TEST_POSTGRES";
    private const string PoolerVariable = "BROKER_TEST_POOLER";
    private const string BinariesVariable = "BROKER_POSTGRES_BIN";

    private static int _clusters;
    private readonly string _prefix =
        string.Create(CultureInfo.InvariantCulture, $"broker_{Environment.ProcessId}_{Interlocked.Increment(ref _clusters)}");
    private readonly Lazy<Task<string>> _admin;
    private readonly Lazy<Task> _template;
    private PrivatePostgres? _server;
    private int _databases;

    public PostgresCluster()
    {
        _admin = new(StartAsync);
        _template = new(MakeTemplateAsync);
    }

    /// <summary>Keep PostgreSQL's own durability (fsync and the rest): for kill tests and measurements.</summary>
    public bool Durable { get; init; }

    /// <summary>Listen on a free loopback port too, for programs that take a URL.</summary>
    public bool ListenOnLoopback { get; init; }

    /// <summary>Settings for the private server, as name=value.</summary>
    public IReadOnlyList<string> Settings { get; init; } = [];

    /// <summary>Brings an empty database to the state that <see cref="CreateDatabaseAsync"/> hands out: done once, then cloned.</summary>
    public Func<string, Task>? PrepareTemplate { get; init; } = StoreHarness.MigrateAsync;

    /// <summary>Whether there is a server to use: one was named, or binaries are installed.</summary>
    public static bool IsAvailable => ExternalServer is not null || FindBinaries() is not null;

    /// <summary>Process id of the private server; 0 for a server that was given.</summary>
    public int ProcessId => _server?.ServerPid ?? 0;

    private static string? ExternalServer => Environment.GetEnvironmentVariable(ServerVariable) is { Length: > 0 } given ? given : null;

    private static Uri? Pooler =>
        ExternalServer is not null && Environment.GetEnvironmentVariable(PoolerVariable) is { Length: > 0 } given ? new Uri($"tcp://{given}") : null;

    private static bool IsMandatory =>
        Environment.GetEnvironmentVariable("CI") is { Length: > 0 } || Environment.GetEnvironmentVariable("BROKER_REQUIRE_POSTGRES") == "1";

    /// <summary>Without PostgreSQL a test is skipped at home and fails where it must run: CI, or BROKER_REQUIRE_POSTGRES=1.</summary>
    public static void Require()
    {
        if (IsAvailable)
        {
            return;
        }

        const string reason =
            $"No PostgreSQL: install it (apt-get install postgresql), name its folder in {BinariesVariable} or a server in {ServerVariable}.";
        if (IsMandatory)
        {
            Assert.Fail(reason);
        }

        Assert.Skip(reason);
    }

    /// <summary>A new database, cloned from the prepared template when there is one.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        if (PrepareTemplate is null)
        {
            return await CreateEmptyDatabaseAsync();
        }

        await _template.Value;
        // FILE_COPY takes 24 ms, the default WAL_LOG 31 ms.
        return await CreateAsync($"TEMPLATE {_prefix}_template STRATEGY FILE_COPY");
    }

    /// <summary>A new database without a single table, for tests of migrations.</summary>
    public Task<string> CreateEmptyDatabaseAsync() => CreateAsync("TEMPLATE template0");

    public async Task DropAsync(string connectionString)
    {
        await using (var pool = new NpgsqlConnection(connectionString))
        {
            NpgsqlConnection.ClearPool(pool);
        }

        string database = new NpgsqlConnectionStringBuilder(connectionString).Database!;
        await ExecuteAsync(await _admin.Value, $"DROP DATABASE IF EXISTS {database} WITH (FORCE)");
    }

    /// <summary>The same database as postgres://user:password@host:port/name. Needs <see cref="ListenOnLoopback"/> on a private server.</summary>
    public string UrlOf(string connectionString)
    {
        var parts = new NpgsqlConnectionStringBuilder(connectionString);
        string host = parts.Host!;
        int port = parts.Port;
        if (host.StartsWith('/'))
        {
            if (_server is not { ListensOnLoopback: true })
            {
                throw new InvalidOperationException($"This server has only a socket in a folder: set {nameof(ListenOnLoopback)}.");
            }

            host = IPAddress.Loopback.ToString();
            port = _server.Port;
        }

        string login = Uri.EscapeDataString(parts.Username ?? "postgres") + (parts.Password is { Length: > 0 } p ? ":" + Uri.EscapeDataString(p) : "");
        return string.Create(CultureInfo.InvariantCulture, $"postgres://{login}@{host}:{port}/{parts.Database}");
    }

    /// <summary>Runs one of PostgreSQL's client programs, from beside the server's or from the path, on a database; fails with what it said.</summary>
    public static async Task RunToolAsync(string tool, string connectionString, params string[] arguments)
    {
        var parts = new NpgsqlConnectionStringBuilder(connectionString);
        string program = FindBinaries() is { } bin && File.Exists($"{bin}/{tool}") ? $"{bin}/{tool}" : tool;
        string port = parts.Port.ToString(CultureInfo.InvariantCulture);
        var start = new ProcessStartInfo(program, [$"--host={parts.Host}", $"--port={port}", $"--username={parts.Username}", $"--dbname={parts.Database}", .. arguments])
        {
            RedirectStandardError = true,
        };
        if (parts.Password is { Length: > 0 } password)
        {
            start.Environment["PGPASSWORD"] = password;
        }

        using var process = Process.Start(start)!;
        string said = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{tool} ended with code {process.ExitCode}: {said}");
    }

    /// <summary>The same database as another role, which the server admits without a password check like the first.</summary>
    public static string As(string connectionString, string role, string password) =>
        new NpgsqlConnectionStringBuilder(connectionString) { Username = role, Password = password }.ConnectionString;

    /// <summary>Ends the private server as a power cut would: no checkpoint, every connection broken.</summary>
    public Task CrashAsync() => Private().CrashAsync();

    /// <summary>Starts a crashed server on the same data, folder and port; returns when it takes connections.</summary>
    public async Task RestartAsync()
    {
        await Private().StartAgainAsync();
        await WaitUntilReadyAsync(await _admin.Value);
    }

    /// <summary>SIGSTOP for the private server and its processes: connections stay and nothing answers. Returns how many stand still.</summary>
    public int Freeze() => ProcessTree.Freeze(Private().ServerPid);

    /// <summary>Ends <see cref="Freeze"/>.</summary>
    public void Thaw() => ProcessTree.Thaw(Private().ServerPid);

    /// <summary>Processor time of the private server's processes.</summary>
    public TimeSpan ProcessorTime() => ProcessTree.ProcessorTime(Private().ServerPid);

    /// <summary>A connection as the server's owner.</summary>
    public async Task<NpgsqlConnection> OpenAdminAsync()
    {
        var connection = new NpgsqlConnection(await _admin.Value);
        await connection.OpenAsync();
        return connection;
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
        else if (_template.IsValueCreated)
        {
            await ExecuteAsync(await _admin.Value, $"DROP DATABASE IF EXISTS {_prefix}_template WITH (FORCE)");
        }
    }

    internal static string? FindBinaries()
    {
        if (Environment.GetEnvironmentVariable(BinariesVariable) is { Length: > 0 } given)
        {
            return HasServer(given) ? given : null;
        }

        // Debian's place; the highest version wins.
        const string versions = "/usr/lib/postgresql";
        return !Directory.Exists(versions)
            ? null
            : Directory.GetDirectories(versions)
                .Select(version => version + "/bin")
                .Where(HasServer)
                .MaxBy(bin => int.TryParse(bin.Split('/')[^2], CultureInfo.InvariantCulture, out int version) ? version : 0);
    }

    private static bool HasServer(string bin) => File.Exists(bin + "/postgres") && File.Exists(bin + "/initdb");

    private PrivatePostgres Private() =>
        _server ?? throw new InvalidOperationException("Only a private server that has been started can be crashed and restarted.");

    private async Task<string> StartAsync()
    {
        string? admin = ExternalServer;
        if (admin is null)
        {
            Require();
            string[] quick = Durable ? [] : ["fsync=off", "synchronous_commit=off", "full_page_writes=off"];
            _server = PrivatePostgres.Start(FindBinaries()!, ListenOnLoopback, ["max_connections=300", .. quick, .. Settings]);
            admin = _server.AdminConnectionString;
        }

        await WaitUntilReadyAsync(admin);
        return admin;
    }

    private async Task WaitUntilReadyAsync(string admin)
    {
        var deadline = TimeProvider.System.GetUtcNow().AddSeconds(60);
        while (true)
        {
            try
            {
                await ExecuteAsync(admin, "SELECT 1");
                return;
            }
            catch (NpgsqlException e)
            {
                if (_server is { HasExited: true } || TimeProvider.System.GetUtcNow() > deadline)
                {
                    throw new InvalidOperationException($"PostgreSQL does not answer. {_server?.ReadLog()}", e);
                }

                await Task.Delay(20);
            }
        }
    }

    private async Task MakeTemplateAsync()
    {
        string admin = await _admin.Value;
        string template = _prefix + "_template";
        await ExecuteAsync(admin, $"CREATE DATABASE {template} TEMPLATE template0");
        // No connection may stay on a template, so nothing is pooled.
        await PrepareTemplate!(To(admin, template, pooling: false));
    }

    private async Task<string> CreateAsync(string source)
    {
        string admin = await _admin.Value;
        string name = string.Create(CultureInfo.InvariantCulture, $"{_prefix}_{Interlocked.Increment(ref _databases)}");
        await ExecuteAsync(admin, $"CREATE DATABASE {name} {source}");
        string direct = To(admin, name, pooling: true);
        return Pooler is { } pooler
            ? new NpgsqlConnectionStringBuilder(direct) { Host = pooler.Host, Port = pooler.Port, MaxAutoPrepare = 0 }.ConnectionString
            : direct;
    }

    private static string To(string admin, string database, bool pooling) =>
        new NpgsqlConnectionStringBuilder(admin) { Database = database, Pooling = pooling, MaxPoolSize = 20 }.ConnectionString;

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
