using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Broker.Testing;
using Xunit;

namespace Broker.Tests.Host;

/// <summary>Tests that need a real process: exit codes, standard output, signals.</summary>
public sealed class HostProcessTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Wrong_settings_end_the_program_with_one_message_and_no_stack_trace()
    {
        await using var broker = new ManagedProcess(
            RepositoryLayout.HostProgram(), new Dictionary<string, string> { ["HOST"] = "nowhere", ["REAP_INTERVAL_SECS"] = "soon" });
        await broker.StartUntilAsync("REAP_INTERVAL_SECS: 'soon' is not allowed");
        await Eventually.TrueAsync(() => broker.HasExited);

        Assert.Equal(1, broker.ExitCode);
        Assert.Contains(broker.Output, line => line.Contains("HOST: 'nowhere'", StringComparison.Ordinal));
        Assert.DoesNotContain(broker.Output, line => line.Contains(" at Broker", StringComparison.Ordinal));
    }

    /// <summary>Jobs contract 10.</summary>
    [Fact]
    public async Task A_taken_port_leads_to_the_next_and_the_chosen_one_is_printed()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        using var folder = new TempFolder();
        await using var broker = new ManagedProcess(RepositoryLayout.HostProgram(), new Dictionary<string, string>
        {
            ["PORT"] = $"{port}",
            ["DATABASE_URL"] = $"sqlite:{Path.Combine(folder.Path, "broker.db")}",
        });

        var line = await broker.StartUntilAsync("Server listening on http://localhost:");
        Assert.StartsWith("Server listening on http://localhost:", line, StringComparison.Ordinal);
        var chosen = new Uri(line["Server listening on ".Length..]).Port;
        Assert.NotEqual(port, chosen);

        using var client = new HttpClient();
        using var ready = await client.GetAsync(new Uri($"http://127.0.0.1:{chosen}/readyz"), Ct);
        Assert.Equal(HttpStatusCode.OK, ready.StatusCode);

        await using var probe = new ManagedProcess(
            RepositoryLayout.HostProgram(), new Dictionary<string, string> { ["PORT"] = $"{chosen}" }, ["--healthcheck"]);
        await probe.StartUntilAsync("\"status\":\"ok\"");
        await Eventually.TrueAsync(() => probe.HasExited);
        Assert.Equal(0, probe.ExitCode);

        Assert.Equal(0, await broker.StopAsync());
    }

    [Fact]
    public async Task At_a_terminal_it_shows_a_banner_and_readable_lines()
    {
        const string terminal = "/usr/bin/script";
        Assert.SkipUnless(File.Exists(terminal), "Needs script(1), which runs a program at a terminal.");
        using var folder = new TempFolder();
        var file = Path.Combine(folder.Path, "broker.db");
        await using var broker = new ManagedProcess(
            terminal,
            new Dictionary<string, string> { ["PORT"] = "0", ["DATABASE_URL"] = $"sqlite:{file}", ["WORKFLOWS_DIR"] = folder.Path },
            ["-qefc", $"{Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet"} {RepositoryLayout.HostProgram()}", "/dev/null"]);
        var line = await broker.StartUntilAsync("Server listening on http://localhost:");
        await Eventually.TrueAsync(() => Shown().Any(shown => shown.StartsWith("  Access", StringComparison.Ordinal)), TimeSpan.FromSeconds(60));

        var address = Plain(line)["Server listening on ".Length..];
        foreach (var expected in (string[])[$"  Console     {address}/ui/", $"  Routes      {address}/docs", $"  Data        {file}", $"  Workflows   no file in {folder.Path}", "  Access      no keys: this machine only"])
            Assert.Contains(Shown(), shown => shown.StartsWith(expected, StringComparison.Ordinal));
        Assert.DoesNotContain(Shown(), shown => shown.StartsWith('{'));
        Assert.Contains(Shown(), shown => Regex.IsMatch(shown, "^[0-9:]{8} INF "));

        IEnumerable<string> Shown() => broker.Output.Select(Plain);
    }

    // Without the terminal's codes for colours.
    private static string Plain(string line) => Regex.Replace(line, "\u001b(\\[[?0-9;]*[a-zA-Z]|=)", "").TrimEnd('\r');

    [Fact]
    public async Task A_health_check_without_a_broker_fails()
    {
        await using var probe = new ManagedProcess(
            RepositoryLayout.HostProgram(), new Dictionary<string, string> { ["PORT"] = $"{LoopbackPort.Choose()}" }, ["--healthcheck"]);
        await probe.StartUntilAsync("Not ready");
        await Eventually.TrueAsync(() => probe.HasExited);
        Assert.Equal(1, probe.ExitCode);
    }
}
