using System.Diagnostics;
using System.Globalization;
using System.Net;
using Npgsql;
using Xunit;

namespace Broker.Testing;

/// <summary>
/// PostgreSQL for tests, an assembly fixture. It is the server that BROKER_TEST_POSTGRES names, else a container where a Docker engine answers.
/// Without either it is a private server from the installed binaries. It starts with the first database that a test needs, and a diagnostic message says which it is.
/// BROKER_TEST_POOLER (host:port) is a pooler in transaction mode before the named server: statements of tests go through it,
/// the creation of databases does not.
/// </summary>
public sealed class PostgresCluster : IAsyncDisposable
{
    private const string ServerVariable = "BROKER_TEST_POSTGRES";
    private const string PoolerVariable = "BROKER_TEST_POOLER";
    private const string BinariesVariable = "BROKER_POSTGRES_BIN";

    private static int clusters;
    private readonly string prefix =
        string.Create(CultureInfo.InvariantCulture, $"broker_{Environment.ProcessId}_{Interlocked.Increment(ref clusters)}");
    private readonly Lazy<Task<string>> admin;
    private readonly Lazy<Task> template;
    private PrivatePostgres? server;
    private ContainerPostgres? container;
    private int databases;

    public PostgresCluster()
    {
        admin = new(StartAsync);
        template = new(MakeTemplateAsync);
    }

    /// <summary>
    /// Keep PostgreSQL's own durability (fsync and the rest): for kill tests and measurements. They need the server's processes, so such a cluster
    /// prefers the installed binaries to a container.
    /// </summary>
    public bool Durable { get; init; }

    /// <summary>Listen on a free loopback port too, for programs that take a URL.</summary>
    public bool ListenOnLoopback { get; init; }

    /// <summary>Settings for the private server, as name=value.</summary>
    public IReadOnlyList<string> Settings { get; init; } = [];

    /// <summary>Brings an empty database to the state that <see cref="CreateDatabaseAsync"/> hands out: done once, then cloned.</summary>
    public Func<string, Task>? PrepareTemplate { get; init; } = StoreHarness.MigrateAsync;

    /// <summary>Whether there is a server to use: one was named, binaries are installed, or a Docker engine answers.</summary>
    public static bool IsAvailable => ExternalServer is not null || FindBinaries() is not null || DockerEngine.Answers;

    /// <summary>Process id of the private server; 0 for a server that was given or is in a container.</summary>
    public int ProcessId => server?.ServerPid ?? 0;

    private static string? ExternalServer => Environment.GetEnvironmentVariable(ServerVariable) is { Length: > 0 } given ? given : null;

    private static Uri? Pooler =>
        ExternalServer is not null && Environment.GetEnvironmentVariable(PoolerVariable) is { Length: > 0 } given ? new Uri($"tcp://{given}") : null;

    private static bool IsMandatory =>
        Environment.GetEnvironmentVariable("CI") is { Length: > 0 } || Environment.GetEnvironmentVariable("BROKER_REQUIRE_POSTGRES") == "1";

    /// <summary>Without PostgreSQL a test is skipped at home and fails where it must run: CI, or BROKER_REQUIRE_POSTGRES=1.</summary>
    public static void Require()
    {
        if (IsAvailable) return;

        const string reason =
            $"No PostgreSQL: install it (apt-get install postgresql), name its folder in {BinariesVariable} or a server in {ServerVariable}, or start a Docker engine.";
        if (IsMandatory) Assert.Fail(reason);

        Assert.Skip(reason);
    }

    /// <summary>A new database, cloned from the prepared template when there is one.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        if (PrepareTemplate is null) return await CreateEmptyDatabaseAsync();

        await template.Value;
        // FILE_COPY takes 24 ms, the default WAL_LOG 31 ms.
        return await CreateAsync($"TEMPLATE {prefix}_template STRATEGY FILE_COPY");
    }

    /// <summary>A new database without a single table, for tests of migrations.</summary>
    public Task<string> CreateEmptyDatabaseAsync() => CreateAsync("TEMPLATE template0");

    public async Task DropAsync(string connectionString)
    {
        await using (var pool = new NpgsqlConnection(connectionString))
        {
            NpgsqlConnection.ClearPool(pool);
        }

        var database = new NpgsqlConnectionStringBuilder(connectionString).Database!;
        await ExecuteAsync(await admin.Value, $"DROP DATABASE IF EXISTS {database} WITH (FORCE)");
    }

    /// <summary>The same database as postgres://user:password@host:port/name. Needs <see cref="ListenOnLoopback"/> on a private server.</summary>
    public string UrlOf(string connectionString)
    {
        var parts = new NpgsqlConnectionStringBuilder(connectionString);
        var host = parts.Host!;
        var port = parts.Port;
        if (host.StartsWith('/'))
        {
            if (server is not { ListensOnLoopback: true })
            {
                throw new InvalidOperationException($"This server has only a socket in a folder: set {nameof(ListenOnLoopback)}.");
            }

            host = IPAddress.Loopback.ToString();
            port = server.Port;
        }

        var login = Uri.EscapeDataString(parts.Username ?? "postgres") + (parts.Password is { Length: > 0 } p ? ":" + Uri.EscapeDataString(p) : "");
        return string.Create(CultureInfo.InvariantCulture, $"postgres://{login}@{host}:{port}/{parts.Database}");
    }

    /// <summary>Runs one of PostgreSQL's client programs, from beside the server's or from the path, on a database; fails with what it said.</summary>
    public static async Task RunToolAsync(string tool, string connectionString, params string[] arguments)
    {
        var parts = new NpgsqlConnectionStringBuilder(connectionString);
        var program = FindBinaries() is { } bin && File.Exists($"{bin}/{tool}") ? $"{bin}/{tool}" : tool;
        var port = parts.Port.ToString(CultureInfo.InvariantCulture);
        var start = new ProcessStartInfo(program, [$"--host={parts.Host}", $"--port={port}", $"--username={parts.Username}", $"--dbname={parts.Database}", .. arguments])
        {
            RedirectStandardError = true,
        };
        if (parts.Password is { Length: > 0 } password) start.Environment["PGPASSWORD"] = password;

        using var process = Process.Start(start)!;
        var said = await process.StandardError.ReadToEndAsync();
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
        await WaitUntilReadyAsync(await admin.Value);
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
        var connection = new NpgsqlConnection(await admin.Value);
        await connection.OpenAsync();
        return connection;
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null) await server.DisposeAsync();
        else if (container is not null) await container.DisposeAsync();
        else if (template.IsValueCreated) await ExecuteAsync(await admin.Value, $"DROP DATABASE IF EXISTS {prefix}_template WITH (FORCE)");
    }

    internal static string? FindBinaries()
    {
        if (Environment.GetEnvironmentVariable(BinariesVariable) is { Length: > 0 } given) return HasServer(given) ? given : null;

        // Debian's place; the highest version wins.
        const string versions = "/usr/lib/postgresql";
        return !Directory.Exists(versions)
            ? null
            : Directory.GetDirectories(versions)
                .Select(version => version + "/bin")
                .Where(HasServer)
                .MaxBy(bin => int.TryParse(bin.Split('/')[^2], CultureInfo.InvariantCulture, out var version) ? version : 0);
    }

    private static bool HasServer(string bin) => File.Exists(bin + "/postgres") && File.Exists(bin + "/initdb");

    private PrivatePostgres Private() =>
        server ?? throw new InvalidOperationException("Only a private server that has been started can be crashed and restarted.");

    private async Task<string> StartAsync()
    {
        Require();
        var (owner, source) = await OpenAsync();
        Say($"PostgreSQL: {source}");
        await WaitUntilReadyAsync(owner);
        return owner;
    }

    private async Task<(string Owner, string Source)> OpenAsync()
    {
        if (ExternalServer is { } given) return (given, $"the server in {ServerVariable}");
        string[] quick = Durable ? [] : ["fsync=off", "synchronous_commit=off", "full_page_writes=off"];
        string[] settings = ["max_connections=300", .. quick, .. Settings];
        var binaries = FindBinaries();
        if (binaries is null || (!Durable && DockerEngine.Answers))
        {
            try
            {
                container = await ContainerPostgres.StartAsync(settings);
                return (container.AdminConnectionString, $"a container of {ContainerPostgres.Image}");
            }
            catch (Exception fault) when (binaries is not null)
            {
                // An engine without the image and without a network.
                Say($"No container of {ContainerPostgres.Image}: {fault.Message}");
            }
        }

        server = PrivatePostgres.Start(binaries!, ListenOnLoopback, settings);
        return (server.AdminConnectionString, $"the installed binaries in {binaries}");
    }

    private static void Say(string line) => TestContext.Current.SendDiagnosticMessage(line);

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
                if (server is { HasExited: true } || TimeProvider.System.GetUtcNow() > deadline)
                {
                    throw new InvalidOperationException($"PostgreSQL does not answer. {server?.ReadLog()}", e);
                }

                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
            }
        }
    }

    private async Task MakeTemplateAsync()
    {
        var admin = await this.admin.Value;
        var template = prefix + "_template";
        await ExecuteAsync(admin, $"CREATE DATABASE {template} TEMPLATE template0");
        // No connection may stay on a template, so nothing is pooled.
        await PrepareTemplate!(To(admin, template, pooling: false));
    }

    private async Task<string> CreateAsync(string source)
    {
        var admin = await this.admin.Value;
        var name = string.Create(CultureInfo.InvariantCulture, $"{prefix}_{Interlocked.Increment(ref databases)}");
        await ExecuteAsync(admin, $"CREATE DATABASE {name} {source}");
        var direct = To(admin, name, pooling: true);
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
