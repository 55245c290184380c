using System.Globalization;
using Broker.Testing;
using Xunit;

namespace Broker.Tests.Host;

/// <summary>Faults of settings and machine end the program with one message and an ordinary exit code.</summary>
public sealed class StartFaultTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("DATABASE_URL", "sqlite::memory:", "DATABASE_URL: 'sqlite::memory:' is not allowed; write postgres://")]
    [InlineData("DATABASE_URL", "sqlite:/proc/none/x.db", "Could not find")]
    [InlineData("DATABASE_URL", "sqlite:/dev/null/x.db", "/dev/null")]
    [InlineData("DATABASE_URL", "sqlite:/usr", "The database file /usr cannot be used: ")]
    [InlineData("DATABASE_URL", "sqlite:NOT-SQLITE", "cannot be used: it is no intact SQLite database")]
    [InlineData("HOST", "192.0.2.7", "The broker cannot listen on 192.0.2.7, port ")]
    [InlineData("Serilog__MinimumLevel__Default", "Loud", "Loud")]
    [InlineData("Kestrel__Endpoints__Https__Url", "https://127.0.0.1:0", "The broker cannot start: ")]
    [InlineData("Kestrel__Certificates__Default__Path", "/nonexistent.pfx", "/nonexistent.pfx")]
    [InlineData("Broker__Prot", "3000", "Broker:Prot: no setting has this name; did you mean Broker:Port (Broker__Port in the environment)?")]
    public async Task A_fault_of_the_settings_ends_the_program_with_one_message(string variable, string value, string expected)
    {
        var file = Path.Combine(folder.Path, "text.db");
        await File.WriteAllTextAsync(file, new string('x', 5000), TestContext.Current.CancellationToken);
        await ExpectAsync(variable, value.Replace("NOT-SQLITE", file, StringComparison.Ordinal), expected);
    }

    [Theory]
    [InlineData("pipe.db")]
    [InlineData("x.db.owner")]
    public async Task A_FIFO_in_the_place_of_the_database_does_not_hold_up_the_start(string pipe)
    {
        var path = Path.Combine(folder.Path, pipe);
        using (var made = System.Diagnostics.Process.Start("mkfifo", [path])) await made.WaitForExitAsync(TestContext.Current.CancellationToken);

        await ExpectAsync("DATABASE_URL", $"sqlite:{Path.Combine(folder.Path, pipe == "pipe.db" ? pipe : "x.db")}", $"The database file {path} cannot be used: it is not a regular file.");
    }

    [Fact]
    public async Task A_settings_file_that_is_no_json_is_named()
    {
        // The program is started through a folder of links, in which the settings file is another one.
        var program = RepositoryLayout.HostProgram();
        var copy = Path.Combine(folder.Path, "program");
        Directory.CreateDirectory(copy);
        foreach (var file in Directory.GetFiles(Path.GetDirectoryName(program)!)) File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        foreach (var directory in Directory.GetDirectories(Path.GetDirectoryName(program)!)) Directory.CreateSymbolicLink(Path.Combine(copy, Path.GetFileName(directory)), directory);
        await File.WriteAllTextAsync(Path.Combine(copy, "appsettings.json"), "{ \"Broker\": { \"Port\": 1, } oops", TestContext.Current.CancellationToken);

        var output = await EndedAsync(Path.Combine(copy, Path.GetFileName(program)), []);

        Assert.Contains(output, line => line.Contains("The configuration cannot be read: ", StringComparison.Ordinal) && line.Contains("appsettings.json", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("abc")]
    [InlineData("70000")]
    public async Task A_text_that_is_no_port_is_replaced_with_a_warning(string port)
    {
        await using var broker = new ManagedProcess(RepositoryLayout.HostProgram(), new Dictionary<string, string>
        {
            ["PORT"] = port,
            ["DATABASE_URL"] = $"sqlite:{Path.Combine(folder.Path, "x.db")}",
        });
        await broker.StartUntilAsync("Server listening on http://localhost:");

        Assert.Contains($"Warning: PORT: '{port}' is no port from 0 to 65535: 3000 is used.", broker.Output);
        Assert.Equal(0, await broker.StopAsync());
    }

    [Fact]
    public async Task Ctrl_C_while_it_waits_for_PostgreSQL_ends_it_in_good_order()
    {
        await using var broker = new ManagedProcess(RepositoryLayout.HostProgram(), new Dictionary<string, string>
        {
            ["PORT"] = "0",
            ["DATABASE_URL"] = string.Create(CultureInfo.InvariantCulture, $"postgres://me:secret@127.0.0.1:{LoopbackPort.Choose()}/none"),
        });
        await broker.StartUntilAsync("The database cannot be reached yet");

        Assert.Equal(0, await broker.InterruptAsync());
        AssertNoTrace(broker.Output);
    }

    private async Task ExpectAsync(string variable, string value, string expected)
    {
        var output = await EndedAsync(RepositoryLayout.HostProgram(), new() { [variable] = value });
        Assert.Contains(output, line => line.Contains(expected, StringComparison.Ordinal));
    }

    private async Task<IReadOnlyList<string>> EndedAsync(string program, Dictionary<string, string> settings)
    {
        settings.TryAdd("PORT", "0");
        foreach (var (name, value) in (ReadOnlySpan<(string, string)>)[("Id", "a"), ("Hash", new string('0', 64)), ("Scopes", "read")])
            settings.Add($"Broker__Auth__Keys__0__{name}", value);
        settings.TryAdd("DATABASE_URL", $"sqlite:{Path.Combine(folder.Path, "x.db")}");
        await using var broker = new ManagedProcess(program, settings);
        broker.Start();
        await Eventually.TrueAsync(() => broker.HasExited, TimeSpan.FromSeconds(60));
        await broker.OutputEnded;
        Assert.Equal(1, broker.ExitCode);
        AssertNoTrace(broker.Output);
        return broker.Output;
    }

    private static void AssertNoTrace(IReadOnlyList<string> output) =>
        Assert.DoesNotContain(output, line => line.Contains("   at ", StringComparison.Ordinal) || line.Contains("Unhandled exception", StringComparison.Ordinal));
}
