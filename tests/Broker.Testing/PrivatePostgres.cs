using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace Broker.Testing;

/// <summary>
/// A PostgreSQL server that ends with this process, even after SIGKILL, and whose files are removed then. The shell that keeps it reads a
/// pipe from this process. A parent-death signal would come too early, because it follows the thread that started the child.
/// </summary>
internal sealed class PrivatePostgres : IAsyncDisposable
{
    private static int servers;
    private readonly Process keeper;
    private readonly string home;

    private PrivatePostgres(Process keeper, string home, int port, bool listensOnLoopback)
    {
        (this.keeper, this.home, Port, ListensOnLoopback) = (keeper, home, port, listensOnLoopback);
        AdminConnectionString = new NpgsqlConnectionStringBuilder
        {
            Host = home,
            Port = port,
            Username = "postgres",
            Database = "postgres",
            Pooling = false,
        }.ConnectionString;
    }

    public string AdminConnectionString { get; }

    public int Port { get; }

    public bool ListensOnLoopback { get; }

    public bool HasExited => keeper.HasExited;

    public int ServerPid => int.Parse(File.ReadLines(home + "/data/postmaster.pid").First(), CultureInfo.InvariantCulture);

    /// <param name="bin">Folder of the binaries.</param>
    /// <param name="loopback">Whether it listens on a port of its own too.</param>
    /// <param name="settings">As name=value.</param>
    /// <param name="chosen">Its port; null: a free one.</param>
    /// <param name="primary">A server to be a standby of: a copy of it is made, and follows it.</param>
    public static PrivatePostgres Start(string bin, bool loopback, IEnumerable<string> settings, PrivatePostgres? primary = null, int? chosen = null)
    {
        // Short, because a socket's path has room for 107 bytes.
        var home = string.Create(CultureInfo.InvariantCulture, $"/tmp/broker-pg-{Environment.ProcessId}-{Interlocked.Increment(ref servers)}");
        var port = chosen ?? (loopback ? LoopbackPort.Choose() : 5432);
        var listen = loopback ? "127.0.0.1" : "";
        var options = string.Join(' ', settings.Select(setting => $"-c '{setting}'"));
        var make = primary is null
            ? $"'{bin}/initdb' -D '{home}/data' -U postgres --auth=trust --no-sync --encoding=UTF8 --locale=C --no-instructions"
            : $"'{bin}/pg_basebackup' -D '{home}/data' -R -c fast --no-sync -d 'host={primary.home} port={primary.Port} user=postgres application_name=standby'";
        var script = $"""
            trap '' HUP INT TERM
            rm -rf '{home}' '{home}.log'
            {make} >'{home}.log' 2>&1 || exit 1
            start() {"{"}
                '{bin}/postgres' -D '{home}/data' -p {port} -c listen_addresses={listen} -c unix_socket_directories='{home}' {options} >>'{home}.log' 2>&1 </dev/null &
                server=$!
            {"}"}
            start
            while read word; do
                case $word in
                    crash) kill -QUIT $server; wait $server; echo crashed;;
                    kill) kill -KILL $server; wait $server 2>/dev/null; echo killed;;
                    stop) kill -INT $server; wait $server; echo stopped;;
                    promote) '{bin}/pg_ctl' promote -w -t 60 -D '{home}/data' >>'{home}.log' 2>&1 && echo promoted || echo refused;;
                    start) start; echo started;;
                esac
            done
            kill -QUIT $server 2>/dev/null
            wait $server
            rm -rf '{home}' '{home}.log'
            """;

        List<string> command = ["/bin/sh", "-c", script];
        if (Environment.IsPrivilegedProcess)
        {
            // PostgreSQL refuses root. Debian's unprivileged user has a group of another name, so both ids come from the user list.
            var users = File.ReadLines("/etc/passwd").Select(line => line.Split(':')).ToDictionary(f => f[0], f => (Id: f[2], Group: f[3]));
            var user = users.TryGetValue("postgres", out var known) ? known : users["nobody"];
            command = ["setpriv", $"--reuid={user.Id}", $"--regid={user.Group}", "--clear-groups", .. command];
        }

        var keeper = Process.Start(new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            WorkingDirectory = "/tmp",
        })!;
        return new PrivatePostgres(keeper, home, port, loopback);
    }

    public Task CrashAsync() => TellAsync("crash", "crashed");

    /// <summary>SIGKILL for the server alone: its processes follow.</summary>
    public Task KillAsync() => TellAsync("kill", "killed");

    /// <summary>A stop that ends all connections and then sends the rest of the log to the standbys.</summary>
    public Task StopAsync() => TellAsync("stop", "stopped");

    /// <summary>Makes a standby the primary; returns when it takes writes.</summary>
    public Task PromoteAsync() => TellAsync("promote", "promoted");

    public Task StartAgainAsync() => TellAsync("start", "started");

    public string ReadLog() => File.Exists(home + ".log") ? File.ReadAllText(home + ".log") : "It left no log.";

    public async ValueTask DisposeAsync()
    {
        keeper.StandardInput.Close();
        await keeper.WaitForExitAsync();
        keeper.Dispose();
    }

    private async Task TellAsync(string word, string answer)
    {
        await keeper.StandardInput.WriteLineAsync(word);
        await keeper.StandardInput.FlushAsync();
        var said = await keeper.StandardOutput.ReadLineAsync();
        if (said != answer) throw new InvalidOperationException($"The server's keeper was told to {word} and said '{said}'. {ReadLog()}");
    }
}
