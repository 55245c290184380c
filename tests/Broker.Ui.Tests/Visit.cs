using System.Collections.Concurrent;
using Deque.AxeCore.Commons;
using Microsoft.Playwright;
using Xunit;

namespace Broker.Ui.Tests;

/// <summary>A page of the console in a browser context of its own. Faults of its scripts and of the content policy fail the test at the end.</summary>
internal sealed class Visit : IAsyncDisposable
{
    private static readonly string[] Violations = ["violations"];
    private static readonly Lazy<string> Axe = new(() => new BundledAxeScriptProvider().GetScript());
    private static readonly string[] Rules = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"];

    private readonly ConcurrentQueue<string> faults = new();
    private readonly bool isOwner;

    private Visit(IBrowserContext context, IPage page, bool isOwner)
    {
        (Context, Page, this.isOwner) = (context, page, isOwner);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning") faults.Enqueue($"{message.Type}: {message.Text} ({message.Location})");
        };
        page.PageError += (_, error) => faults.Enqueue($"script: {error}");
    }

    public IBrowserContext Context { get; }

    public IPage Page { get; }

    /// <summary>Faults that the scenario itself makes, such as a stream that ends with its broker.</summary>
    public Func<string, bool> Expects { get; init; } = _ => false;

    /// <summary>A browser that has signed in with that key; null: with none.</summary>
    public static async Task<Visit> AsAsync(Site site, string? key, Uri? address = null, BrowserNewContextOptions? options = null, Func<string, bool>? expects = null)
    {
        options ??= new();
        options.BaseURL = (address ?? site.Address).AbsoluteUri;
        var context = await site.Browser.NewContextAsync(options);
        context.SetDefaultTimeout(30_000);
        if (key is not null)
        {
            var answer = await context.APIRequest.PostAsync("/ui/login", new() { Form = context.APIRequest.CreateFormData().Set("key", Site.Key(key)), Headers = [new("Origin", options.BaseURL.TrimEnd('/'))], MaxRedirects = 0 });
            Assert.Equal(303, answer.Status);
        }

        return new(context, await context.NewPageAsync(), isOwner: true) { Expects = expects ?? (_ => false) };
    }

    /// <summary>A further tab of the same browser.</summary>
    public async Task<Visit> TabAsync() => new(Context, await Context.NewPageAsync(), isOwner: false) { Expects = Expects };

    public async Task GoAsync(string path)
    {
        var answer = await Page.GotoAsync(path);
        Assert.True(answer is { Status: < 500 }, $"{path}: {answer?.Status}");
    }

    public ILocator Find(string selector) => Page.Locator(selector);

    public ILocator Find(string selector, string text) => Page.Locator(selector, new() { HasText = text });

    /// <summary>The row of a table that holds a text.</summary>
    public ILocator Row(string text) => Find("tbody tr", text);

    /// <summary>The stream of hints is open: a change after this is not missed.</summary>
    public Task ReadyAsync() => Assertions.Expect(Page.Locator("html[data-live=open]")).ToHaveCountAsync(1, new() { Timeout = 20_000 });

    public ILocator Button(string name) => Page.GetByRole(AriaRole.Button, new() { Name = name });

    public ILocator Link(string name) => Page.GetByRole(AriaRole.Link, new() { Name = name });

    /// <summary>The text of an element, once it is this one.</summary>
    public Task ShowsAsync(string selector, string text) => Assertions.Expect(Page.Locator(selector).First).ToContainTextAsync(text, new() { Timeout = 20_000 });

    public Task GoneAsync(string selector) => Assertions.Expect(Page.Locator(selector)).ToHaveCountAsync(0, new() { Timeout = 20_000 });

    /// <summary>Asserts that no rule of WCAG 2.2 AA that axe knows is broken.</summary>
    public async Task AccessibleAsync(string what) => Assert.Empty(await BrokenRulesAsync(what));

    /// <summary>Rules that the page breaks.</summary>
    /// <param name="what">The page, for the message.</param>
    /// <param name="rule">Only this rule; null: all of WCAG 2.2 AA.</param>
    public async Task<IReadOnlyList<string>> BrokenRulesAsync(string what, string? rule = null)
    {
        // The package's own call opens a page for each answer, and reads the rules that hold as well: ten times slower.
        var options = new { runOnly = new { type = rule is null ? "tag" : "rule", values = rule is null ? Rules : [rule] }, resultTypes = Violations };
        if (!await Page.EvaluateAsync<bool>("typeof axe !== 'undefined'")) await Page.EvaluateAsync(Axe.Value);
        var found = await Page.EvaluateAsync<string[]>(
            """
            options => axe.run(document, options).then(found => found.violations.map(rule =>
                `${rule.id} (${rule.help}): ` + rule.nodes.slice(0, 3).map(node => `${node.html} ${node.failureSummary}`).join(' | ')))
            """,
            options);
        return [.. found.Select(broken => $"{what}: {broken}")];
    }

    public async ValueTask DisposeAsync()
    {
        await Page.CloseAsync();
        if (isOwner) await Context.DisposeAsync();
        Assert.True(faults.All(Expects), string.Join('\n', faults));
    }
}
