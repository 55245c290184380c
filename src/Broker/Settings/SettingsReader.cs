using System.Globalization;
using System.Net;
using Broker.Auth;

namespace Broker.Settings;

/// <summary>Settings as read, with a sentence for each wrong value: what was found and what to write instead.</summary>
internal readonly record struct SettingsReading(BrokerSettings Settings, IReadOnlyList<string> Problems)
{
    /// <summary>Values that count as something else by contract.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>One message for the operator; null when nothing is wrong.</summary>
    public string? Message => Problems.Count == 0
        ? null
        : $"The broker cannot start with these settings:{string.Concat(Problems.Select(problem => $"{Environment.NewLine}  - {problem}"))}";
}

/// <summary>
/// Reads the settings from <c>Broker:…</c> keys (appsettings.json, or <c>Broker__…</c> in the environment). The short variables below
/// win over them.
/// </summary>
internal static partial class SettingsReader
{
    private static readonly Setting[] All =
    [
        new("Port", (settings, text) => settings with { Port = Whole(text, 0, IPEndPoint.MaxPort) }),
        new("Host", (settings, text) => settings with { Host = Address(text) }),
        new("DatabaseUrl", (settings, text) => settings with { DatabaseUrl = Database(text) }),
        new("WorkflowsDir", (settings, text) => settings with { WorkflowsDir = text }),
        new("WorkflowsSource", (settings, text) => settings with { WorkflowsSource = text }),
        new("ApiOnly", (settings, text) => settings with { ApiOnly = Switch(text) }),
        new("AllowedHosts", (settings, text) => settings with { AllowedHosts = Auth.AllowedHosts.Read(text) }),
        new("CorsOrigins", (settings, text) => settings with { CorsOrigins = Origins(text) }, DroppedOrigins),
        new("ReapInterval", (settings, text) => settings with { ReapInterval = Span(text, TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1)) }),
        new("Lanes", (settings, text) => settings with { Lanes = Whole(text, 1, 16) }),
        new("TimerInterval", (settings, text) => settings with { TimerInterval = Span(text, TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(1)) }),
        new("DefaultLeaseSecs", (settings, text) => settings with { DefaultLeaseSecs = Whole(text, 1, 86_400) }),
        new("WorkerTimeout", (settings, text) => settings with { WorkerTimeout = Span(text, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1)) }),
        new("WorkerOffline", (settings, text) => settings with { WorkerOffline = Span(text, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1)) }),
        new("WorkerRemoved", (settings, text) => settings with { WorkerRemoved = Span(text, TimeSpan.FromSeconds(1), TimeSpan.FromDays(365)) }),
        new("InstancesBasePath", (settings, text) => settings with { InstancesBasePath = BasePath(text) }),
        new("RunnerTickEnabled", (settings, text) => settings with { RunnerTickEnabled = Switch(text) }),
        new("InstancesShowActive", (settings, text) => settings with { InstancesShowActive = Switch(text) }),
        new("MaxBodyBytes", (settings, text) => settings with { MaxBodyBytes = Whole(text, 1024, 1 << 30) }),
        new("MigrateAtStart", (settings, text) => settings with { MigrateAtStart = Switch(text) }),
        new("Retention", (settings, text) => settings with { Retention = Age(text) }),
        new("RetentionSucceeded", (settings, text) => settings with { RetentionSucceeded = Age(text) }),
        new("RetentionFailed", (settings, text) => settings with { RetentionFailed = Age(text) }),
        new("RetentionCancelled", (settings, text) => settings with { RetentionCancelled = Age(text) }),
        new("DefinitionRetention", (settings, text) => settings with { DefinitionRetention = text is "0" ? TimeSpan.Zero : Span(text, TimeSpan.FromHours(1), TimeSpan.FromDays(36_500)) }),
        new("Webhooks:AllowPrivate", (settings, text) => settings with { Webhooks = settings.Webhooks with { AllowPrivate = Switch(text) } }),
        new("Metrics", (settings, text) => settings with { Metrics = Switch(text) }),
        new("StreamHeartbeat", (settings, text) => settings with { StreamHeartbeat = Span(text, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)) }),
    ];

    // Settings of the program alone.
    private static readonly string[] ListenKeys = ["Port", "Host"];

    // The broker's own, and those of the parts that read their own configuration.
    private static readonly string[] Sections = ["Broker:", "Serilog:", "Kestrel:", "Logging:", "OTEL_"];

    private static readonly int DefaultPort = new BrokerSettings().Port;

    // The documented variables. PORT and API_ONLY replace a wrong value instead of refusing it.
    private static readonly Setting[] Variables =
    [
        new("PORT", (settings, text) => settings with { Port = PortOrDefault(text) }, text => IsPort(text) ? null : $"'{text}' is no port from 0 to 65535: {DefaultPort} is used"),
        new("HOST", (settings, text) => settings with { Host = Address(text) }),
        new("DATABASE_URL", (settings, text) => settings with { DatabaseUrl = Database(text) }),
        new("WORKFLOWS_DIR", (settings, text) => settings with { WorkflowsDir = text }),
        new("API_ONLY", (settings, text) => settings with { ApiOnly = text is "1" or "true" }, text => text is "1" or "true" or "0" or "false" ? null : $"'{text}' counts as false: only 1 and true switch it on"),
        new("CORS_ORIGINS", (settings, text) => settings with { CorsOrigins = Origins(text) }, DroppedOrigins),
        new("REAP_INTERVAL_SECS", (settings, text) => settings with { ReapInterval = Seconds(text, 1, 3600) }),
    ];

    /// <summary>Whether a word of the command line may set this key, as in <c>--Broker:Port=3000</c> or <c>PORT=3000</c>.</summary>
    public static bool IsKey(string key) =>
        Array.Exists(Variables, variable => variable.Name.Equals(key, StringComparison.OrdinalIgnoreCase))
        || Array.Exists(Sections, section => key.StartsWith(section, StringComparison.OrdinalIgnoreCase));

    public static SettingsReading Read(IConfiguration configuration, bool isEmbedded = false)
    {
        var settings = new BrokerSettings();
        var (problems, warnings) = (new List<string>(), new List<string>());
        foreach (var setting in All.Where(IsTaken).Concat(LimitKeys).Concat(StorageKeys)) Apply(setting, $"Broker:{setting.Name}", ref settings);
        foreach (var variable in Variables.Where(IsTaken)) Apply(variable, variable.Name, ref settings);
        if (settings.WorkerRemoved < settings.WorkerOffline)
            problems.Add("Broker:WorkerRemoved: a worker cannot be removed before it shows as offline; write at least the value of Broker:WorkerOffline.");
        settings = settings with
        {
            WorkflowsDir = ExistingFolder(settings.WorkflowsDir),
            IsEmbedded = isEmbedded,
            Endpoints = [.. configuration.GetSection("Kestrel:Endpoints").GetChildren().Select(endpoint => endpoint["Url"]).OfType<string>()],
        };
        if (isEmbedded && settings.Endpoints.Count == 0) settings = settings with { Endpoints = ApplicationUrls(configuration) };
        if (isEmbedded) problems.AddRange(ListenKeys.Select(key => $"Broker:{key}").Where(key => Text(configuration.GetSection(key)) is { Length: > 0 }).Select(key => $"{key}: the application decides where it listens; remove this setting."));
        return new(settings, problems) { Warnings = warnings };

        bool IsTaken(Setting setting) => !isEmbedded || !ListenKeys.Contains(setting.Name, StringComparer.OrdinalIgnoreCase);

        void Apply(Setting setting, string key, ref BrokerSettings read)
        {
            // Set to nothing counts as unset: compose files write VAR=${VAR:-}.
            if (Text(configuration.GetSection(key)) is not { Length: > 0 } text) return;
            try
            {
                read = setting.Apply(read, text);
                if (setting.Warning?.Invoke(text) is { } warning) warnings.Add($"{key}: {warning}.");
            }
            catch (FormatException wrong)
            {
                // A database's address may hold its password, and a secret is one: they are not repeated.
                var found = key.EndsWith("Secret", StringComparison.Ordinal) || text.Contains("://", StringComparison.Ordinal) || text.Contains('=', StringComparison.Ordinal) ? "this value" : $"'{text}'";
                problems.Add($"{key}: {found} is not allowed; write {wrong.Message}.");
            }
        }
    }

    // As the web host reads them: addresses, else ports of all interfaces, else its default.
    private static List<string> ApplicationUrls(IConfiguration configuration)
    {
        var urls = Parts(configuration["urls"], "");
        if (urls.Count == 0) urls = [.. Parts(configuration["http_ports"], "http://*:"), .. Parts(configuration["https_ports"], "https://*:")];
        return urls.Count > 0 ? urls : ["http://localhost:5000"];

        static List<string> Parts(string? text, string prefix) =>
            [.. (text ?? "").Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(part => prefix + part)];
    }

    // A JSON array in appsettings.json becomes a section of numbered children.
    private static string? Text(IConfigurationSection section) =>
        section.Value?.Trim() ?? string.Join(',', section.GetChildren().Select(child => child.Value));

    /// <summary>Started from elsewhere than the repository, the folder beside the program serves.</summary>
    private static string ExistingFolder(string dir)
    {
        if (Directory.Exists(dir)) return dir;
        var beside = Path.Combine(AppContext.BaseDirectory, dir);
        return Directory.Exists(beside) ? beside : dir;
    }

    private static int Whole(string text, int least, int most) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most
            ? value
            : throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"a whole number from {least} to {most}"));

    private static int PortOrDefault(string text) => IsPort(text) ? Whole(text, 0, IPEndPoint.MaxPort) : DefaultPort;

    private static bool IsPort(string text) => ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _);

    private static TimeSpan Seconds(string text, int least, int most) => TimeSpan.FromSeconds(Whole(text, least, most));

    private static TimeSpan Span(string text, TimeSpan least, TimeSpan most) =>
        text.Contains(':', StringComparison.Ordinal) && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most
            ? value
            : throw new FormatException($"a time such as 00:00:30 or 7.00:00:00 (days before the dot), from {least} to {most}");

    private static TimeSpan Age(string text) => Span(text == "0" ? "00:00" : text, TimeSpan.Zero, TimeSpan.FromDays(36_500));

    private static bool Switch(string text) => text.ToLowerInvariant() switch
    {
        "true" or "1" => true,
        "false" or "0" => false,
        _ => throw new FormatException("true or false"),
    };

    private static string Database(string text) => Storage.Contracts.DatabaseUrl.TryParse(text, out _, out _)
        ? text
        : throw new FormatException("postgres://user:password@host:5432/database, Host=…;Database=… or sqlite:PATH, where PATH is a file");

    private static string Address(string text) => text switch
    {
        "localhost" => IPAddress.Loopback.ToString(),
        "*" or "+" => IPAddress.Any.ToString(),
        _ => IPAddress.TryParse(text.Trim('[', ']'), out var address)
            ? address.ToString()
            : throw new FormatException("an IP address of this machine: 127.0.0.1 for this machine only, 0.0.0.0 for every network"),
    };

    // A text that is no origin is left out, as it can never match one: a browser sends scheme, host and port alone.
    private static IReadOnlyList<string> Origins(string text) =>
    [
        .. text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(origin => origin.TrimEnd('/').ToLowerInvariant())
            .Where(origin => origin is "null" or WebPages.AnyOrigin || (Uri.TryCreate(origin, UriKind.Absolute, out var uri) && uri.Host.Length > 0)),
    ];

    private static string BasePath(string text)
    {
        var path = text.TrimEnd('/');
        return path.StartsWith('/') && !path.AsSpan().ContainsAny("{}?#*")
            ? path
            : throw new FormatException("a path that begins with a slash, such as /api/workflows");
    }

    private static string? DroppedOrigins(string text)
    {
        var given = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var dropped = given.Where(origin => Origins(origin).Count == 0).ToList();
        return dropped.Count == 0 ? null : $"{string.Join(", ", dropped.Select(origin => $"'{origin}'"))} is left out: an origin is written https://host:port";
    }

    private readonly record struct Setting(string Name, Func<BrokerSettings, string, BrokerSettings> Apply, Func<string, string?>? Warning = null);
}
