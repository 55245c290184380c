using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using Broker.Core.Runs;
using Broker.Http;

namespace Broker.Api.JobsDialect;

/// <summary>Common members of requests about runs: the run that they name, how long they wait, and whether they ask for JSON.</summary>
internal static class RunRequests
{
    /// <summary>Longest that an answer is held (seconds).</summary>
    public const int MaxWaitSecs = 600;

    private const string Run = "run";
    private const string Wait = "wait";
    private const string Grace = "grace_ms";

    /// <summary>The request names <c>application/json</c> among the types that it accepts.</summary>
    public static bool AcceptsJson(HttpRequest request) => request.Headers.Accept.Any(static line =>
        line is not null && line.Split(',').Any(static type =>
            MediaTypeWithQualityHeaderValue.TryParse(type, out var accepted)
            && string.Equals(accepted.MediaType, JsonAnswer.ContentType, StringComparison.OrdinalIgnoreCase)
            && accepted.Quality is not 0));

    /// <summary>The run that is named, and null when none is. False after an error answer.</summary>
    public static async ValueTask<(bool IsRead, int? Number)> RunOfAsync(HttpContext http) => await NumberAsync(http, Run, int.MaxValue);

    /// <summary>How long the answer may be held; null: it is not. False after an error answer.</summary>
    public static async ValueTask<(bool IsRead, TimeSpan? Limit)> WaitOfAsync(HttpContext http)
    {
        var (isRead, seconds) = await NumberAsync(http, Wait, MaxWaitSecs);
        return (isRead, seconds is { } given ? TimeSpan.FromSeconds(given) : null);
    }

    /// <summary>The body of a cancel: the time for steps that clean up.</summary>
    public static TimeSpan GraceOf(JsonElement body, JobsReader reader)
    {
        if (!reader.IsObject(body, "")) return default;
        foreach (var member in body.EnumerateObject().Where(member => member.Name != Grace)) reader.Add(member.Name, $"is not known; a cancel has {Grace}");
        return TimeSpan.FromMilliseconds(reader.Integer(body, Grace, "", 0, RunSession.LongestGraceMs, 0));
    }

    private static async ValueTask<(bool IsRead, int? Number)> NumberAsync(HttpContext http, string name, int most)
    {
        var given = http.Request.Query[name];
        if (given.Count == 0) return (true, null);
        if (int.TryParse(given[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= most) return (true, number);
        var range = most == int.MaxValue ? "of 0 or more" : string.Create(CultureInfo.InvariantCulture, $"from 0 to {most}");
        await JobsErrors.SendAsync(http.Response, StatusCodes.Status400BadRequest, $"{name}: expected an integer {range}", name);
        return (false, null);
    }
}
