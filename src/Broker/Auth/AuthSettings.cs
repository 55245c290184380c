using System.Globalization;

namespace Broker.Auth;

/// <summary>A key of the configuration: <c>Broker:Auth:Keys:0:{Id,Hash,Scopes,Workflows}</c>.</summary>
internal sealed record ConfiguredKey(string Id, string Hash, Scope Scopes, IReadOnlyList<string>? Workflows);

/// <summary>Everything under <c>Broker:Auth</c>.</summary>
internal sealed record AuthSettings
{
    /// <summary>Valid beside those in the database.</summary>
    public IReadOnlyList<ConfiguredKey> Keys { get; init; } = [];

    /// <summary>Without any key, listen beyond loopback all the same.</summary>
    public bool AllowAnonymous { get; init; }

    /// <summary>Entries of the audit trail are removed after that long; zero keeps them.</summary>
    public TimeSpan AuditRetention { get; init; } = TimeSpan.FromDays(90);
}

/// <summary>Reads them; a problem says what was found and what to write instead, and never repeats a hash.</summary>
internal static class AuthSettingsReader
{
    private const string Section = "Broker:Auth";

    public static (AuthSettings Settings, IReadOnlyList<string> Problems) Read(IConfiguration configuration)
    {
        var section = configuration.GetSection(Section);
        var problems = new List<string>();
        var settings = new AuthSettings();

        var anonymous = section["AllowAnonymous"];
        if (!string.IsNullOrWhiteSpace(anonymous))
        {
            settings = settings with { AllowAnonymous = anonymous.Trim().ToLowerInvariant() is "true" or "1" };
            if (!settings.AllowAnonymous && anonymous.Trim().ToLowerInvariant() is not ("false" or "0"))
                problems.Add($"{Section}:AllowAnonymous: '{anonymous}' is not allowed; write true or false.");
        }

        var retention = section["AuditRetention"];
        if (!string.IsNullOrWhiteSpace(retention))
        {
            if (retention.Contains(':', StringComparison.Ordinal) && TimeSpan.TryParse(retention, CultureInfo.InvariantCulture, out var time) && time >= TimeSpan.Zero)
                settings = settings with { AuditRetention = time };
            else
                problems.Add($"{Section}:AuditRetention: '{retention}' is not allowed; write a time such as 90.00:00:00 (days before the dot), or 00:00:00 to keep everything.");
        }

        var keys = section.GetSection("Keys").GetChildren().Select(key => KeyOf(key, problems)).OfType<ConfiguredKey>().ToList();
        foreach (var id in keys.GroupBy(key => key.Id).Where(same => same.Count() > 1).Select(same => same.Key))
            problems.Add($"{Section}:Keys: the id '{id}' is there twice; write each key once.");
        return (settings with { Keys = keys }, problems);
    }

    private static ConfiguredKey? KeyOf(IConfigurationSection key, List<string> problems)
    {
        var before = problems.Count;
        var id = key["Id"]?.Trim() ?? "";
        if (!ApiKey.IsId(id)) problems.Add($"{key.Path}:Id: '{id}' is not allowed; write the part of the key between its underscores: letters, digits and hyphens.");

        var hash = key["Hash"]?.Trim().ToLowerInvariant() ?? "";
        if (hash.Length != 2 * ApiKey.HashBytes || !hash.All(char.IsAsciiHexDigit))
            problems.Add($"{key.Path}:Hash: this value is not allowed; write the SHA-256 of the whole key, 64 hexadecimal digits (broker keys create --print-config makes both).");

        var scopes = ScopeWords.Read(List(key.GetSection("Scopes")));
        if (scopes is null) problems.Add($"{key.Path}:Scopes: '{string.Join(',', List(key.GetSection("Scopes")))}' is not allowed; write {ScopeWords.Expected}.");

        var workflows = List(key.GetSection("Workflows"));
        return problems.Count == before ? new(id, hash, scopes!.Value, workflows.Count == 0 ? null : workflows) : null;
    }

    // A comma list, as in a variable, or a JSON array.
    private static List<string> List(IConfigurationSection section) => section.Value is { } text
        ? [.. text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)]
        : [.. section.GetChildren().Select(child => child.Value?.Trim() ?? "").Where(word => word.Length > 0)];
}
