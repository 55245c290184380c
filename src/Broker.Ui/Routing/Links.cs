using System.Globalization;

namespace Broker.Ui.Routing;

/// <summary>Addresses of the console's pages and of the API behind them. Names are path segments, so they may hold any character.</summary>
/// <param name="Root">Path below which the broker is served; empty for the root of its host.</param>
public sealed record Links(string Root)
{
    /// <summary>Path of the console.</summary>
    public const string Prefix = "/ui";

    public string Home => $"{Root}{Prefix}/";

    public string To(string page, params ReadOnlySpan<(string Name, string? Value)> query) => $"{Root}{Prefix}/{page}{Query(query)}";

    public string Asset(string name) => $"{Root}{Prefix}/assets/{ConsoleAssets.Version}/{name}";

    public string Api(string path, params ReadOnlySpan<(string Name, string? Value)> query) => $"{Root}/api/v1/{path}{Query(query)}";

    /// <summary>Runs that fit a condition.</summary>
    public string Runs(string? where = null, string? cursor = null) => To("runs", ("where", where), ("cursor", cursor));

    public string Run(string workflow, string instance, int? run = null, string? tab = null, string? step = null) =>
        $"{To("runs")}/{Segment(workflow)}/{Segment(instance)}{Query(("run", Text(run)), ("tab", tab), ("step", step))}";

    /// <summary>Page that asks before an action on a run.</summary>
    public string Action(string workflow, string instance, string action, int? run = null) =>
        $"{To("runs")}/{Segment(workflow)}/{Segment(instance)}/{action}{Query(("run", Text(run)))}";

    public string Workflow(string name, string? tab = null, string? version = null) => $"{To("workflows")}/{Segment(name)}{Query(("tab", tab), ("version", version))}";

    public string Worker(string id) => $"{To("workers")}/{Segment(id)}";

    /// <summary>An action on many runs.</summary>
    public string Bulk(long id, string? below = null) => To(string.Create(CultureInfo.InvariantCulture, $"bulk/{id}{(below is null ? "" : $"/{below}")}"));

    /// <summary>A step of a run, or the page that asks before an order about it.</summary>
    public string StepOrder(string workflow, string instance, string step, string order, int run) =>
        $"{To("runs")}/{Segment(workflow)}/{Segment(instance)}/steps/{Segment(step)}/{order}{Query(("run", Text(run)))}";

    /// <summary>Path of a run in the API.</summary>
    public string ApiRun(string workflow, string instance, string below = "", int? run = null) =>
        $"{Api("runs")}/{Segment(workflow)}/{Segment(instance)}{below}{Query(("run", Text(run)))}";

    public static string Segment(string name) => Uri.EscapeDataString(name);

    /// <summary>A query of the parameters that have a value.</summary>
    public static string Query(params ReadOnlySpan<(string Name, string? Value)> parameters)
    {
        var query = "";
        foreach (var (name, value) in parameters)
        {
            if (!string.IsNullOrEmpty(value)) query += $"{(query.Length == 0 ? '?' : '&')}{name}={Uri.EscapeDataString(value)}";
        }

        return query;
    }

    private static string? Text(int? number) => number?.ToString(CultureInfo.InvariantCulture);
}
