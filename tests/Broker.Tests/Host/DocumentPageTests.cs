using System.Diagnostics;
using Broker.Testing;
using Broker.Tests.App;
using Xunit;

namespace Broker.Tests.Host;

/// <summary>The page at /docs in a real browser.</summary>
public sealed class DocumentPageTests(SqliteApp host) : IClassFixture<SqliteApp>
{
    private const string Program = "/usr/bin/chromium";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_page_shows_jobs_first_offers_both_documents_and_breaks_no_rule_of_its_own()
    {
        Assert.SkipUnless(File.Exists(Program), "no Chromium");
        using var profile = new TempFolder();
        using var browser = Process.Start(new ProcessStartInfo(
            Program,
            [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
                // The page draws the rows that are in view, from 150 rows on: the window has room for all of them.
                $"--user-data-dir={profile.Path}", "--window-size=1200,12000", "--enable-logging=stderr", "--virtual-time-budget=20000", "--dump-dom", $"{host.Address}docs",
            ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var (page, log) = (browser.StandardOutput.ReadToEndAsync(Ct), browser.StandardError.ReadToEndAsync(Ct));
        await browser.WaitForExitAsync(Ct);

        Assert.DoesNotContain((await log).Split('\n'), line => line.Contains(":CONSOLE:", StringComparison.Ordinal));
        var shown = await page;
        string[] parts = ["operations-tag-Jobs_dialect", "operations-tag-Operators", "operations-tag-Broker_dialect"];
        var places = parts.Select(part => shown.IndexOf(part, StringComparison.Ordinal)).ToList();
        Assert.All(places, place => Assert.True(place > 0));
        Assert.Equal(places.Order(), places);
        Assert.Contains("<option value=\"/openapi.json\">", shown, StringComparison.Ordinal);
        Assert.Contains("<option value=\"/openapi-aliases.json\">", shown, StringComparison.Ordinal);
    }
}
