using System.Diagnostics;
using Broker.Faults.Harness;
using Broker.Testing;
using Xunit;

namespace Broker.Faults;

/// <summary>kill -9 of a broker while it makes its SQLite file: the next start must succeed by itself.</summary>
public sealed class KilledFirstStartTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_broker_killed_at_any_moment_of_its_first_start_starts_again()
    {
        using var measured = new TempFolder();
        var began = Stopwatch.GetTimestamp();
        await using (var whole = await StartAsync(measured.Path))
        {
            // Only its duration is wanted.
        }

        var duration = Stopwatch.GetElapsedTime(began);
        var random = new Random(Environment.TickCount);
        for (var kill = 0; kill < Effort.Of(6, 60); kill++)
        {
            using var folder = new TempFolder();
            var moment = duration * random.NextDouble();
            await using (var first = new ManagedProcess(RepositoryLayout.HostProgram(), Settings(folder.Path)))
            {
                first.Start();
                await Task.Delay(moment, TimeProvider.System, Ct);
                await first.KillAsync();
            }

            try
            {
                await using var second = await StartAsync(folder.Path);
                using var client = new HttpClient { BaseAddress = second.Address };
                using var ready = await client.GetAsync(new Uri("readyz", UriKind.Relative), Ct);
                Assert.True(ready.IsSuccessStatusCode);
            }
            catch (InvalidOperationException stuck)
            {
                Assert.Fail($"Killed {moment.TotalMilliseconds:F0} of {duration.TotalMilliseconds:F0} ms after its start: {stuck.Message}");
            }
        }
    }

    [Fact]
    public async Task A_second_broker_on_a_file_is_refused_and_commands_work_beside_the_first()
    {
        using var folder = new TempFolder();
        await using var first = await StartAsync(folder.Path);

        var (code, output) = await RunAsync(folder.Path);
        Assert.Equal(1, code);
        Assert.Contains(output, line => line.Contains($": process {first.Id} on ", StringComparison.Ordinal));
        Assert.DoesNotContain(output, line => line.Contains("   at ", StringComparison.Ordinal));

        Assert.Equal(0, (await RunAsync(folder.Path, "keys", "create", "--name", "a", "--scopes", "admin")).Code);
        Assert.Equal(0, (await RunAsync(folder.Path, "keys", "list")).Code);
        Assert.Equal(0, (await RunAsync(folder.Path, "migrate")).Code);
        Assert.Equal(0, (await RunAsync(folder.Path, "backup", Path.Combine(folder.Path, "copy.db"))).Code);

        await first.KillAsync();
        await first.RestartAsync();
    }

    private static Task<BrokerProcess> StartAsync(string folder) => BrokerProcess.StartAsync(Settings(folder)["DATABASE_URL"]);

    private static Dictionary<string, string> Settings(string folder) => new() { ["DATABASE_URL"] = $"sqlite:{Path.Combine(folder, "broker.db")}", ["PORT"] = "0" };

    private static async Task<(int Code, IReadOnlyList<string> Output)> RunAsync(string folder, params string[] words)
    {
        await using var program = new ManagedProcess(RepositoryLayout.HostProgram(), Settings(folder), words);
        program.Start();
        await Eventually.TrueAsync(() => program.HasExited, TimeSpan.FromSeconds(120));
        await program.OutputEnded;
        return (program.ExitCode, program.Output);
    }
}
