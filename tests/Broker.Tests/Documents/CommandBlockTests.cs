using System.Diagnostics;
using Broker.Testing;
using Broker.Tests.Cli;
using Xunit;

namespace Broker.Tests.Documents;

/// <summary>Runs the command blocks of each page, in one shell and against a broker of its own, and compares what they print with the page.</summary>
public sealed class CommandBlockTests
{
    // First line of a block that no test runs, and why.
    private static readonly Dictionary<(string Page, string FirstLine), string> NotRun = new()
    {
        [("README.md", "dotnet run --project src/Broker")] = "starts the broker that each page here has; .ci/run runs it as a stage",
        [("README.md", "dotnet run --project src/Broker.Worker -- --server http://localhost:3000")] = "runs until Ctrl+C; the jobs tour runs it in the background",
        [("README.md", "make test")] = "runs all tests",
        [("CONTRIBUTING.md", "make build      # warnings are errors")] = "builds and runs all tests",
        [("docs/benchmarks.md", "dotnet run -c Release --project tests/Broker.Benchmarks -- --json bench.json")] = "takes 15 minutes; .ci/run runs the short form",
        [("docs/operate.md", "DATABASE_URL=postgres://user:password@localhost:5432/broker dotnet run --project src/Broker")] = "needs a PostgreSQL on port 5432",
        [("docs/operate.md", "printf 'POSTGRES_PASSWORD=%s\\nBROKER_SECRET=%s\\n' \"$(openssl rand -hex 24)\" \"$(openssl rand -hex 24)\" > .env")] = "needs a Docker engine",
    };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static TheoryData<string> PagesWithCommands() => [.. Page.Read().Where(page => Runnable(page).Any()).Select(page => page.Path)];

    [Theory]
    [MemberData(nameof(PagesWithCommands))]
    public async Task The_commands_of_a_page_print_what_it_shows(string path)
    {
        await RequireCurlAsync();
        var blocks = Runnable(new Page(path)).ToList();
        using var folder = new TempFolder();
        var database = $"sqlite:{Path.Combine(folder.Path, "broker.db")}";
        await using var broker = await BrokerProcess.StartAsync(database);
        await PageRun.CheckAsync(path, blocks, broker.Address, folder.Path, database);
    }

    [Fact]
    public void Each_block_that_no_test_runs_is_on_a_page()
    {
        var blocks = Page.Read().SelectMany(page => page.Blocks().Select(block => (page.Path, block.FirstLine))).ToHashSet();
        Assert.Empty(NotRun.Keys.Except(blocks));
    }

    [Theory]
    [InlineData("204", "204\n", true)]
    [InlineData("204", "404\n", false)]
    [InlineData("{\"id\":\"b5f2788c…\",\"n\":1}", "{\"id\":\"0b6e7c21-7b6e-4d0e-9a39-1f3c5be2a1a4\",\"n\":1}", true)]
    [InlineData("{\"id\":\"b5f2788c…\",\"n\":1}", "{\"id\":\"0b6e7c21-7b6e-4d0e-9a39-1f3c5be2a1a4\",\"n\":2}", false)]
    [InlineData("{\"at\":1795322991.852109,\n \"n\":1}", "{\"at\":1795999999.1,\"n\":1}", true)]
    [InlineData("[\"2hytCn4Q3C\",\"run_4\"]", "[\"9aBcDeFgHi\",\"run_12\"]", true)]
    [InlineData("202\n200\n200\n200\n", "202\n200\n409\n200\n", false)]
    [InlineData("[\"order-7\"]", "[\"order-8\"]", false)]
    public void Shown_output_fits_whatever_its_made_ids_and_times_are(string shown, string actual, bool fits) => Assert.Equal(fits, ShownOutput.Fits(shown, actual));

    // The runbook has a test of its own, with the state that it begins with.
    private static IEnumerable<CommandBlock> Runnable(Page page) => page.Path == NightSuite.Page ? [] : page.Blocks().Where(block => !NotRun.ContainsKey((page.Path, block.FirstLine)));

    // curl --json came with 7.82.
    private static async Task RequireCurlAsync()
    {
        if (await CurlAsync() is { } version && version >= new Version(7, 82)) return;
        Assert.SkipWhen(Environment.GetEnvironmentVariable("CI") is null or "", "The pages need curl 7.82 or newer.");
        Assert.Fail("The pages need curl 7.82 or newer.");
    }

    private static async Task<Version?> CurlAsync()
    {
        try
        {
            using var curl = Process.Start(new ProcessStartInfo("curl", ["--version"]) { RedirectStandardOutput = true })!;
            var words = (await curl.StandardOutput.ReadToEndAsync(Ct)).Split(' ');
            return words.Length > 1 && Version.TryParse(words[1].Split('-')[0], out var version) ? version : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
