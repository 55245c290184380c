using System.CommandLine;
using System.CommandLine.Help;
using System.Globalization;

namespace Broker.Worker;

/// <summary>Options from the command line and the environment; the command line wins.</summary>
internal sealed record WorkerOptions
{
    public Uri Server { get; init; } = new("http://localhost:3000");
    public IReadOnlyList<string> Labels { get; init; } = [];
    public int Slots { get; init; } = 1;
    public string Id { get; init; } = Guid.NewGuid().ToString();
    public int LeaseTtlSecs { get; init; } = 30;
    public int WaitSecs { get; init; } = 20;
    public int GraceSecs { get; init; } = 10;
    public string? ApiKey { get; init; }
    public string? RunAs { get; init; }
    public IReadOnlyList<string> InheritEnv { get; init; } = [];
    public IReadOnlyList<string> MaskEnv { get; init; } = [];
    public WorkspacePolicy Workspace { get; init; } = WorkspacePolicy.Default;

    public const string Help = """
        broker-worker: claims shell jobs from a broker and runs them.

          --server URL         address of the broker               SERVER_URL           http://localhost:3000
          --labels A,B         labels of this worker               WORKER_LABELS        none
          --slots N            jobs run at the same time, 1-256    WORKER_SLOTS         1
          --id NAME            name of this worker                 WORKER_ID            random
          --lease-ttl SECS     lease asked for, 1-3600             WORKER_LEASE_TTL     30
          --wait SECS          how long a claim may wait, 0-60     WORKER_WAIT          20
          --grace SECS         time for jobs at shutdown, 0-3600   WORKER_GRACE         10
          --api-key-file FILE  file with the API key               BROKER_API_KEY_FILE  none
          --api-key-fd N       descriptor to read the API key from
          --api-key KEY        the API key itself                  BROKER_API_KEY       none
          --run-as USER        user that jobs run as; needs root   WORKER_RUN_AS        the worker's own
          --workspace DIR      parent of the jobs' fresh folders,  WORKER_WORKSPACE     the system's, for
                               or none: no fresh folders                                temporary files
          --keep-workspace W   never, failed or always: when such  WORKER_KEEP_         never
                               a folder outlives its job           WORKSPACE
          --inherit-env A,B_*  more variables for jobs             WORKER_INHERIT_ENV   none
          --mask-env A,B       variables whose values log lines    WORKER_MASK_ENV      none
                               show as ***
          --version            version of this program
          --help               this text

        A job finds its upstream outputs as JSON in the file $BROKER_UPSTREAM and writes its own, one name=value a line
        (or name<<EOF, lines, EOF), into the file $BROKER_OUTPUT. It also has BROKER_WORKFLOW, BROKER_JOB, BROKER_ATTEMPT.
        Of the worker's variables it has PATH, HOME, USER, LOGNAME, SHELL, LANG, LANGUAGE, LC_*, TERM, TMPDIR, TZ and those of
        --inherit-env. See docs/worker.md.
        """;

    public const string ApiKeyVariable = "BROKER_API_KEY";
    public const string ApiKeyDescriptorFlag = "--api-key-fd";
    private const string ApiKeyFlag = "--api-key";
    private const string ApiKeyFileFlag = "--api-key-file";

    private static readonly Setting[] Settings =
    [
        new("--server", "SERVER_URL", (o, text) => o with { Server = ParseServer(text) }),
        new("--labels", "WORKER_LABELS", (o, text) => o with { Labels = ParseList(text) }),
        new("--slots", "WORKER_SLOTS", (o, text) => o with { Slots = ParseNumber(text, 1, 256) }),
        new("--id", "WORKER_ID", (o, text) => o with { Id = ParseId(text) }),
        new("--lease-ttl", "WORKER_LEASE_TTL", (o, text) => o with { LeaseTtlSecs = ParseNumber(text, 1, 3600) }),
        new("--wait", "WORKER_WAIT", (o, text) => o with { WaitSecs = ParseNumber(text, 0, 60) }),
        new("--grace", "WORKER_GRACE", (o, text) => o with { GraceSecs = ParseNumber(text, 0, 3600) }),
        new(ApiKeyDescriptorFlag, null, (o, text) => o with { ApiKey = ParseApiKey(ApiKeySource.FromDescriptor(ParseNumber(text, 0, int.MaxValue))) }),
        new(ApiKeyFileFlag, "BROKER_API_KEY_FILE", (o, text) => o with { ApiKey = ParseApiKey(ApiKeySource.FromFile(text)) }),
        new(ApiKeyFlag, ApiKeyVariable, (o, text) => o with { ApiKey = ParseApiKey(text) }),
        new("--run-as", "WORKER_RUN_AS", (o, text) => o with { RunAs = ParseId(text) }),
        new("--workspace", "WORKER_WORKSPACE", (o, text) => o with { Workspace = o.Workspace with { Parent = ParseWorkspace(text) } }),
        new("--keep-workspace", "WORKER_KEEP_WORKSPACE", (o, text) => o with { Workspace = o.Workspace with { Keep = ParseKeep(text) } }),
        new("--inherit-env", "WORKER_INHERIT_ENV", (o, text) => o with { InheritEnv = ParseList(text) }),
        new("--mask-env", "WORKER_MASK_ENV", (o, text) => o with { MaskEnv = ParseList(text) }),
    ];

    /// <summary>True for an argument that shows the key to other processes.</summary>
    public static bool ShowsApiKey(string argument) => IsFlag(argument, ApiKeyFlag);

    /// <summary>True for an argument that says where the key comes from.</summary>
    public static bool IsApiKeySource(string argument) =>
        ShowsApiKey(argument) || IsFlag(argument, ApiKeyFileFlag) || IsFlag(argument, ApiKeyDescriptorFlag);

    /// <summary>True for an option that holds its value, as in --name=value.</summary>
    public static bool IsWhole(string argument) => argument.AsSpan().IndexOfAny('=', ':') >= 0;

    public static ParsedOptions Parse(IReadOnlyList<string> args, Func<string, string?> environment)
    {
        var given = ReadCommandLine(args);
        var problems = given.Problems;
        var options = new WorkerOptions();
        if (given.Help || given.Version) return new ParsedOptions(options, [], given.Help, given.Version);

        foreach (var setting in Settings)
        {
            var onCommandLine = given.Values.TryGetValue(setting.Flag, out var text);
            if (!onCommandLine) text = setting.Variable is null ? null : environment(setting.Variable);
            // A variable set to nothing counts as unset: compose files write VAR=${VAR:-}.
            if (text is null || (text.Length == 0 && !onCommandLine)) continue;
            // One source of the key is enough: the file of an environment does not overrule an option.
            if (!onCommandLine && options.ApiKey is not null && setting.Variable is ApiKeyVariable or "BROKER_API_KEY_FILE") continue;

            try
            {
                options = setting.Apply(options, text);
            }
            catch (FormatException wrong)
            {
                problems.Add($"{(onCommandLine ? setting.Flag : setting.Variable)}: {wrong.Message}");
            }
        }

        return new ParsedOptions(options, problems, HelpAsked: false, VersionAsked: false);
    }

    /// <summary>A key that a network can read; null when there is nothing to warn of.</summary>
    public string? Warning => ApiKey is not null && Server.Scheme == Uri.UriSchemeHttp && !Server.IsLoopback
        ? $"the API key is sent to {Server.Host} over plain HTTP, where the network can read it; use https"
        : null;

    private static CommandLineValues ReadCommandLine(IReadOnlyList<string> args)
    {
        var options = Settings.ToDictionary(s => s.Flag, s => new Option<string>(s.Flag), StringComparer.Ordinal);
        var root = new RootCommand { TreatUnmatchedTokensAsErrors = false };
        foreach (var option in options.Values) root.Options.Add(option);
        var parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });

        // Only the flag is ever repeated in a message: the value may be the key.
        var problems = parsed.Errors.Select(e => e.Message).ToList();
        problems.AddRange(parsed.UnmatchedTokens.Where(token => token.StartsWith('-')).Select(token =>
            $"unknown option {token.Split('=', ':')[0]}; broker-worker --help lists what there is"));
        if (problems.Count == 0 && parsed.UnmatchedTokens.Count > 0)
            problems.Add("an argument belongs to no option; broker-worker --help lists what there is");

        var values = options
            .Where(o => parsed.GetResult(o.Value) is { Tokens.Count: 1 })
            .ToDictionary(o => o.Key, o => parsed.GetResult(o.Value)!.Tokens[0].Value, StringComparer.Ordinal);
        if (values.Keys.Count(flag => flag is ApiKeyFlag or ApiKeyFileFlag or ApiKeyDescriptorFlag) > 1)
            problems.Add("write one of --api-key-file, --api-key-fd and --api-key");
        return new CommandLineValues(
            values,
            problems,
            root.Options.OfType<HelpOption>().Any(o => parsed.GetResult(o) is not null),
            root.Options.OfType<VersionOption>().Any(o => parsed.GetResult(o) is not null));
    }

    private static bool IsFlag(string argument, string flag) =>
        argument == flag || (argument.StartsWith(flag, StringComparison.Ordinal) && argument[flag.Length] is '=' or ':');

    private static Uri ParseServer(string text)
    {
        if (!Uri.TryCreate(text.Trim(), UriKind.Absolute, out var server) || server.Scheme is not ("http" or "https"))
            throw new FormatException("write an address such as http://localhost:3000");
        if (server.UserInfo.Length > 0)
            throw new FormatException("write the address without user and password; a key belongs into a file, see " + ApiKeyFileFlag);
        if (server.Query.Length > 0 || server.Fragment.Length > 0) throw new FormatException("write the address without ? and #");
        return server;
    }

    private static int ParseNumber(string text, int min, int max) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max
            ? number
            : throw new FormatException($"write a whole number from {min} to {max}");

    private static string[] ParseList(string text) => text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static string ParseId(string text) =>
        text.Length is > 0 and <= 200 && !text.Any(char.IsControl)
            ? text
            : throw new FormatException("write a name of 1 to 200 characters");

    private static string? ParseWorkspace(string text) => text switch
    {
        WorkspacePolicy.None => null,
        "" => throw new FormatException($"write a folder, or {WorkspacePolicy.None}"),
        _ => Path.GetFullPath(text),
    };

    private static KeepWorkspace ParseKeep(string text) => text switch
    {
        "never" => KeepWorkspace.Never,
        "failed" => KeepWorkspace.Failed,
        "always" => KeepWorkspace.Always,
        _ => throw new FormatException("write never, failed or always"),
    };

    private static string ParseApiKey(string text) =>
        text.Length > 0 && text.All(c => c is > ' ' and <= '~')
            ? text
            : throw new FormatException("write the key as it was given to you, without blanks or line ends");

    private sealed record Setting(string Flag, string? Variable, Func<WorkerOptions, string, WorkerOptions> Apply);

    private sealed record CommandLineValues(Dictionary<string, string> Values, List<string> Problems, bool Help, bool Version);
}

internal sealed record ParsedOptions(WorkerOptions Options, IReadOnlyList<string> Problems, bool HelpAsked, bool VersionAsked);
