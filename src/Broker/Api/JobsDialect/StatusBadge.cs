using System.Globalization;
using System.Net;
using Broker.Core.Json;
using Broker.Engine;

namespace Broker.Api.JobsDialect;

/// <summary>A small picture of a workflow's last run, for pages that cannot ask for JSON.</summary>
internal static class StatusBadge
{
    public const string ContentType = "image/svg+xml";

    private const int MostCharacters = 60;
    private const int CharacterWidth = 7;
    private const int Margin = 10;

    public static async Task SendAsync(HttpContext http, BrokerEngine engine, string id, CancellationToken ct)
    {
        if (await WorkflowLookup.FindAsync(engine, id, ct) is not { } workflow)
        {
            await JobsErrors.UnknownWorkflowAsync(http.Response, id);
            return;
        }

        http.Response.ContentType = ContentType;
        http.Response.Headers.CacheControl = "max-age=10";
        await http.Response.WriteAsync(Draw(workflow.Definition.Jobs?.Name ?? workflow.Id, workflow.Run is { } run ? JobsStatuses.OfRun(run.Status) : "no run"), ct);
    }

    /// <summary>The label on grey, the word on the colour of its status.</summary>
    public static string Draw(string label, string word)
    {
        var (left, right) = (Shown(label), Shown(word));
        var (leftWidth, rightWidth) = (WidthOf(left), WidthOf(right));
        var colour = word switch
        {
            JobsStatuses.Success => "#2e7d32",
            JobsStatuses.Failure => "#c62828",
            JobsStatuses.Running => "#1565c0",
            _ => "#616161",
        };
        return string.Create(CultureInfo.InvariantCulture, $"""
            <svg xmlns="http://www.w3.org/2000/svg" width="{leftWidth + rightWidth}" height="20" role="img" aria-label="{left}: {right}"><title>{left}: {right}</title>
            <rect width="{leftWidth}" height="20" fill="#424242"/><rect x="{leftWidth}" width="{rightWidth}" height="20" fill="{colour}"/>
            <g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle"><text x="{leftWidth / 2}" y="14">{left}</text><text x="{leftWidth + (rightWidth / 2)}" y="14">{right}</text></g>
            </svg>

            """);
    }

    // XML takes no control characters, escaped or not.
    private static string Shown(string text)
    {
        var plain = string.Concat(StorableText.Fitting(text).Select(c => char.IsControl(c) || c is '\uFFFE' or '\uFFFF' ? ' ' : c));
        if (plain.Length > MostCharacters) plain = $"{plain[..(char.IsHighSurrogate(plain[MostCharacters - 2]) ? MostCharacters - 2 : MostCharacters - 1)]}…";
        return WebUtility.HtmlEncode(plain);
    }

    private static int WidthOf(string shown) => (WebUtility.HtmlDecode(shown).Length * CharacterWidth) + Margin;
}
