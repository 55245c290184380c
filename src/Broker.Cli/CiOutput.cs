namespace Broker.Cli;

/// <summary>Groups and error annotations of the CI service that runs the command; none elsewhere.</summary>
internal static class CiOutput
{
    private enum Service
    {
        None,
        GitHub,
        Azure,
    }

    private static Service Here => Environment.GetEnvironmentVariable("GITHUB_ACTIONS") is "true" ? Service.GitHub
        : Environment.GetEnvironmentVariable("TF_BUILD") is { Length: > 0 } ? Service.Azure
        : Service.None;

    public static bool IsOne => Here is not Service.None;

    /// <summary>Line that begins a group; null where there are none.</summary>
    public static string? Begin(string title) => Here switch
    {
        Service.GitHub => $"::group::{OneLine(title)}",
        Service.Azure => $"##[group]{OneLine(title)}",
        Service.None => null,
    };

    /// <summary>Line that ends a group; null where there are none.</summary>
    public static string? End => Here switch
    {
        Service.GitHub => "::endgroup::",
        Service.Azure => "##[endgroup]",
        Service.None => null,
    };

    /// <summary>Line that marks an error; null where there are none.</summary>
    public static string? Error(string title, string message) => Here switch
    {
        Service.GitHub => $"::error title={GitHub(title).Replace(":", "%3A", StringComparison.Ordinal).Replace(",", "%2C", StringComparison.Ordinal)}::{GitHub(message)}",
        Service.Azure => $"##vso[task.logissue type=error]{OneLine($"{title}: {message}")}",
        Service.None => null,
    };

    private static string GitHub(string text) =>
        text.Replace("%", "%25", StringComparison.Ordinal).Replace("\r", "%0D", StringComparison.Ordinal).Replace("\n", "%0A", StringComparison.Ordinal);

    private static string OneLine(string text) => text.ReplaceLineEndings(" ");
}
