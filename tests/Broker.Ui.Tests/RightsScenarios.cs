using System.Net;
using Broker.Tests.Operators;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Broker.Ui.Tests;

/// <summary>Sign-in, rights and keys in a browser.</summary>
public sealed class RightsScenarios(Site site)
{
    [Fact]
    public async Task A_person_signs_in_reads_the_page_of_the_link_and_signs_out()
    {
        Site.Require();
        await using var visit = await Visit.AsAsync(site, null, expects: fault => fault.Contains("401", StringComparison.Ordinal));
        await visit.GoAsync("/ui/runs?where=status%3Dfailed");
        await Expect(visit.Page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/ui/login\\?to="));
        await visit.AccessibleAsync("sign-in");
        await visit.Find("input[name=key]").FillAsync("brk_reader_wrong");
        await visit.Page.Keyboard.PressAsync("Enter");
        await visit.ShowsAsync("[role=alert]", "This key is not known");
        await visit.Find("input[name=key]").FillAsync(Site.Key("reader"));
        await visit.Page.Keyboard.PressAsync("Enter");
        await Expect(visit.Page).ToHaveURLAsync(new Uri(site.Address, "/ui/runs?where=status%3Dfailed").AbsoluteUri);
        await visit.ShowsAsync(".who", "reader");
        await visit.Button("Sign out").ClickAsync();
        await Expect(visit.Page).ToHaveURLAsync(new Uri(site.Address, "/ui/login").AbsoluteUri);
        await visit.GoAsync("/ui/workers");
        await Expect(visit.Page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/ui/login"));
    }

    [Fact]
    public async Task A_key_that_only_reads_sees_every_control_off_with_the_reason()
    {
        Site.Require();
        var name = OperatorWire.NewName("rights");
        await site.Wire.RegisterAsync(name, World.Gate);
        await site.Wire.StartAsync(name, "i-1");
        await using var visit = await Visit.AsAsync(site, "reader");
        await visit.GoAsync($"/ui/runs/{name}/i-1");
        foreach (var control in await visit.Find(".actions .button[aria-disabled=true]").AllAsync()) Assert.Contains("needs the scope", await control.GetAttributeAsync("title"), StringComparison.Ordinal);
        await Expect(visit.Find(".actions a.button:has-text('Cancel')")).ToHaveCountAsync(0);
        await visit.AccessibleAsync("run of a reader");
        await visit.GoAsync($"/ui/runs?where=workflow%3D{name}");
        foreach (var button in await visit.Find(".many button").AllAsync()) Assert.True(await button.IsDisabledAsync());
        var forged = await visit.Context.APIRequest.PostAsync($"/ui/runs/{name}/i-1/cancel", new() { Form = visit.Context.APIRequest.CreateFormData().Set("reason", "forged"), Headers = [new("Origin", site.Address.GetLeftPart(UriPartial.Authority))] });
        Assert.Equal((int)HttpStatusCode.Forbidden, forged.Status);
        Assert.Equal("waiting", OperatorWire.Text(await site.Wire.GetAsync($"/runs/{name}/i-1"), "status"));
    }

    // The stream breaks off, and requests are refused, when the key ends.
    private static bool Ends(string fault) => fault.Contains("401", StringComparison.Ordinal) || fault.Contains("ERR_CONNECTION_RESET", StringComparison.Ordinal) || fault.Contains("ERR_INCOMPLETE_CHUNKED", StringComparison.Ordinal);

    [Fact]
    public async Task A_key_is_shown_once_and_its_revocation_ends_the_other_window()
    {
        Site.Require();
        await using var admin = await Visit.AsAsync(site, "admin");
        await admin.GoAsync("/ui/keys");
        await admin.Page.GetByLabel("Name", new() { Exact = true }).FillAsync("brief");
        await admin.Page.GetByLabel("read", new() { Exact = true }).CheckAsync();
        await admin.Button("Make the key").ClickAsync();
        var key = await admin.Find("[data-key-text]").TextContentAsync();
        await admin.AccessibleAsync("the key that was made");
        Assert.StartsWith("brk_", key, StringComparison.Ordinal);
        await admin.GoAsync("/ui/keys");
        Assert.DoesNotContain(key!, await admin.Page.ContentAsync(), StringComparison.Ordinal);

        await using var other = await Visit.AsAsync(site, null, expects: Ends);
        await other.GoAsync("/ui/login");
        await other.Find("input[name=key]").FillAsync(key!);
        await other.Button("Sign in").ClickAsync();
        await other.ShowsAsync("h1", "Overview");
        await admin.Find("tr", "brief").GetByRole(AriaRole.Link, new() { Name = "Revoke…" }).ClickAsync();
        await admin.Button("Revoke").ClickAsync();
        await admin.ShowsAsync("tr:has-text('brief')", "revoked");

        // Each broker reads the keys anew within 5 s; then the page leads to the sign-in.
        await Expect(other.Page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/ui/login"), new() { Timeout = 15_000 });
    }
}
