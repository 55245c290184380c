using System.Globalization;
using Broker.Testing;

namespace Broker.Faults.Harness;

/// <summary>PgBouncer in transaction mode before a PostgreSQL, with fewer connections than its clients have.</summary>
internal sealed class PgBouncer : IAsyncDisposable
{
    private const string Program = "/usr/sbin/pgbouncer";

    private readonly TempFolder folder = new();
    private ManagedProcess? process;
    private int port;

    public static void Require()
    {
        if (File.Exists(Program)) return;
        Effort.Lacks("No PgBouncer: install it (apt-get install pgbouncer).");
    }

    /// <summary>Starts at the first call; returns the way to the same database through it.</summary>
    public async Task<string> ThroughAsync(string databaseUrl)
    {
        var server = new Uri(databaseUrl);
        if (process is null) await StartAsync(server);
        return string.Create(CultureInfo.InvariantCulture, $"postgres://postgres@127.0.0.1:{port}{server.AbsolutePath}?pooler=transaction");
    }

    public Task KillAsync() => process!.KillAsync();

    public Task RestartAsync() => process!.StartUntilAsync("process up");

    public async ValueTask DisposeAsync()
    {
        if (process is not null) await process.DisposeAsync();
        folder.Dispose();
    }

    private async Task StartAsync(Uri server)
    {
        port = LoopbackPort.Choose();
        var settings = Path.Combine(folder.Path, "pgbouncer.ini");
        await File.WriteAllTextAsync(settings, string.Create(CultureInfo.InvariantCulture, $"""
            [databases]
            * = host={server.Host} port={server.Port} user=postgres
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {port}
            unix_socket_dir =
            auth_type = any
            pool_mode = transaction
            default_pool_size = 8
            max_client_conn = 2000
            """));
        // It refuses to be root, and then must still read its settings.
        const UnixFileMode open = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(folder.Path, open);
        process = new ManagedProcess(Program, arguments: Environment.IsPrivilegedProcess ? ["-u", "nobody", settings] : [settings]);
        await RestartAsync();
    }
}
