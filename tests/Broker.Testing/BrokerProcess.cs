using System.Globalization;

namespace Broker.Testing;

/// <summary>The real host in a process of its own, on a loopback port that it keeps over restarts.</summary>
public sealed class BrokerProcess : ManagedProcess
{
    private const string Listening = "Server listening on ";

    private BrokerProcess(string program, int port, IReadOnlyDictionary<string, string> environment, IReadOnlyList<string> arguments)
        : base(program, environment, arguments) => Address = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/"));

    public Uri Address { get; }

    /// <summary>Starts a broker on <paramref name="databaseUrl"/> and returns when it listens. The program is this repository's, if no other is named.</summary>
    public static async Task<BrokerProcess> StartAsync(
        string databaseUrl, IReadOnlyDictionary<string, string>? environment = null, string? host = null)
    {
        var variables = new Dictionary<string, string>(environment ?? new Dictionary<string, string>()) { ["DATABASE_URL"] = databaseUrl };
        return await StartProgramAsync(host ?? RepositoryLayout.HostProgram(), variables);
    }

    /// <summary>Starts any program that keeps the broker's manners: PORT in the environment, one line when it listens.</summary>
    public static async Task<BrokerProcess> StartProgramAsync(
        string program, IReadOnlyDictionary<string, string> environment, IReadOnlyList<string>? arguments = null)
    {
        var port = environment.TryGetValue("PORT", out var given) ? int.Parse(given, CultureInfo.InvariantCulture) : LoopbackPort.Choose();
        var variables = new Dictionary<string, string>(environment) { ["PORT"] = port.ToString(CultureInfo.InvariantCulture) };
        variables.TryAdd("HOST", "127.0.0.1");
        var broker = new BrokerProcess(program, port, variables, arguments ?? []);
        try
        {
            await broker.RestartAsync();
        }
        catch
        {
            await broker.DisposeAsync();
            throw;
        }

        return broker;
    }

    /// <summary>Starts the ended broker again, on the same database and port.</summary>
    public async Task RestartAsync()
    {
        var line = await StartUntilAsync(Listening);
        var said = line[(line.IndexOf(Listening, StringComparison.Ordinal) + Listening.Length)..];
        // A taken port makes the host choose the next one: the caller's address would be another process's.
        if (!said.Contains(string.Create(CultureInfo.InvariantCulture, $":{Address.Port}"), StringComparison.Ordinal))
        {
            await KillAsync();
            throw new InvalidOperationException($"The broker was given port {Address.Port} and listens on {said}.");
        }
    }
}
