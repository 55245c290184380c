using Broker.Testing;
using Microsoft.Playwright;
using Xunit;

namespace Broker.Ui.Tests;

/// <summary>The pages as pictures: nothing lies beyond a narrow window, and those of the documents are small.</summary>
public sealed class LookTests : IAsyncLifetime
{
    private const int LargestPicture = 150_000;

    /// <summary>Folder that keeps the pictures of the documents: <c>docs/console</c> when they are made anew.</summary>
    private static readonly string? Kept = Environment.GetEnvironmentVariable("BROKER_PICTURES");

    /// <summary>Folder for every page in every width and theme, for people who look at them.</summary>
    private static readonly string? Looked = Environment.GetEnvironmentVariable("BROKER_LOOK");

    private static readonly (string Name, string Path)[] Documented =
    [
        ("runs", "/ui/runs"), ("graph", "/ui/runs/ci/build-812?tab=graph&step=test"), ("timeline", "/ui/runs/ci/build-812?tab=timeline"), ("logs", "/ui/runs/ci/build-812?tab=logs&step=test"),
        ("start", "/ui/workflows/ci?tab=start"), ("queues", "/ui/queues"),
    ];

    private static readonly string[] Others =
    [
        "/ui/", "/ui/runs?where=status%3Dfailed", "/ui/runs/ci/build-812", "/ui/runs/ci/build-812?tab=steps&step=test", "/ui/runs/ci/build-812?tab=data", "/ui/runs/ci/build-812/retry", "/ui/runs/ci/build-814/fork", "/ui/failures", "/ui/workflows",
        "/ui/workflows/ci", "/ui/workflows/ci?tab=steps", "/ui/workflows/ci?tab=document", "/ui/waiting", "/ui/workers", "/ui/workers/w-1", "/ui/bulk", "/ui/bulk/new", "/ui/audit", "/ui/keys", "/ui/system", "/ui/search?q=o-99",
        "/ui/runs/approval/order-7?tab=events",
    ];

    private readonly Site site = new();
    private readonly TempFolder folder = new();

    public async ValueTask InitializeAsync()
    {
        Site.Require();
        await site.InitializeAsync();
        await new Gallery(site).HangAsync();
    }

    [Fact]
    public async Task Six_pictures_show_the_console_and_are_small()
    {
        await using var visit = await Visit.AsAsync(site, "admin", options: new() { ViewportSize = new() { Width = 1280, Height = 800 } });
        foreach (var (name, path) in Documented)
        {
            await visit.GoAsync(path);
            if (name == "logs") await visit.Find("log-view[data-own-ready]").WaitForAsync();
            var file = Path.Combine(Kept ?? folder.Path, $"{name}.png");
            await visit.Page.ScreenshotAsync(new() { Path = file });
            Assert.InRange(new FileInfo(file).Length, 1, LargestPicture);
        }
    }

    [Fact]
    public async Task No_page_is_wider_than_a_phone_or_a_window_at_200_percent()
    {
        await using var visit = await Visit.AsAsync(site, "admin", options: new() { ViewportSize = new() { Width = 390, Height = 844 } });
        foreach (var path in Others.Concat(Documented.Select(page => page.Path)))
        {
            await visit.GoAsync(path);
            foreach (var width in (int[])[390, 320])
            {
                await visit.Page.SetViewportSizeAsync(width, 844);
                Assert.True(await visit.Page.EvaluateAsync<int>("document.documentElement.scrollWidth") <= width, $"{path} is wider than {width} pixels: {await WidestAsync(visit.Page)}");
            }

            await LookAsync(visit.Page, path);
        }
    }

    [Fact]
    public async Task A_run_prints_without_the_frame()
    {
        await using var visit = await Visit.AsAsync(site, "admin");
        await visit.GoAsync("/ui/runs/ci/build-812");
        await visit.Page.EmulateMediaAsync(new() { Media = Media.Print });
        foreach (var part in (string[])[".bar", ".side", ".actions", "footer"]) Assert.False(await visit.Find(part).First.IsVisibleAsync(), part);
        Assert.True(await visit.Find("table.steps").IsVisibleAsync());
    }

    public async ValueTask DisposeAsync()
    {
        folder.Dispose();
        await site.DisposeAsync();
    }

    private static async Task LookAsync(IPage page, string path)
    {
        if (Looked is null) return;
        foreach (var (width, height) in ((int, int)[])[(1400, 900), (1024, 768), (390, 844)])
        {
            await page.SetViewportSizeAsync(width, height);
            foreach (var theme in (ColorScheme[])[ColorScheme.Light, ColorScheme.Dark])
            {
                await page.EmulateMediaAsync(new() { ColorScheme = theme });
                await page.ScreenshotAsync(new() { Path = Path.Combine(Looked, $"{path.Trim('/').Replace('/', '_').Replace('?', '_')}-{width}-{theme}.png"), FullPage = width == 390 });
            }
        }
    }

    private static Task<string> WidestAsync(IPage page) => page.EvaluateAsync<string>(
        "[...document.querySelectorAll('body *:not(.side, .side *)')].filter(e => e.getBoundingClientRect().right > innerWidth + 1).slice(0, 3).map(e => e.outerHTML.slice(0, 160)).join(' | ')");
}
