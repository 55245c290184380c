using Microsoft.Playwright;
using Xunit;

namespace Broker.Ui.Tests;

/// <summary>Every page in both themes: no rule of accessibility is broken, no script fails, no policy is violated.</summary>
public sealed class PageWalkTests(Site site)
{
    [Fact]
    public async Task Every_page_is_accessible_in_both_themes()
    {
        Site.Require();
        var world = await World.MakeAsync(site);
        await using var visit = await Visit.AsAsync(site, "admin");
        List<string> broken = [];
        foreach (var path in world.Pages)
        {
            await visit.GoAsync(path);
            await visit.Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Light });
            broken.AddRange(await visit.BrokenRulesAsync($"{path} (light)"));

            // Colours are all that differs in the other theme.
            await visit.Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
            broken.AddRange(await visit.BrokenRulesAsync($"{path} (dark)", "color-contrast"));
        }

        Assert.True(broken.Count == 0, string.Join('\n', broken));
    }
}
