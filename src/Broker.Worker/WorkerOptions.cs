using System.Globalization;

namespace Broker.Worker;

/// <summary>What the command line and the environment say; the command line wins.</summary>
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

    public const string Help = """
        broker-worker: claims shell jobs from a broker and runs them.

          --server URL      address of the broker               SERVER_URL        http://localhost:3000
          --labels A,B      labels of this worker               WORKER_LABELS     none
          --slots N         jobs run at the same time, 1-256    WORKER_SLOTS      1
          --id NAME         name of this worker                 WORKER_ID         random
          --lease-ttl SECS  lease asked for, 1-3600             WORKER_LEASE_TTL  30
          --wait SECS       how long a claim may wait, 0-60     WORKER_WAIT       20
          --grace SECS      time for jobs at shutdown, 0-3600   WORKER_GRACE      10
          --api-key KEY     API key with the scope worker;      BROKER_API_KEY    none
                            better in the environment, where other users cannot see it
          --help            this text

        A job finds its upstream outputs as JSON in the file $BROKER_UPSTREAM and writes its own, one name=value a line
        (or name<<EOF, lines, EOF), into the file $BROKER_OUTPUT. It also has BROKER_WORKFLOW, BROKER_JOB, BROKER_ATTEMPT.
        """;

    private static readonly Setting[] Settings =
    [
        new("--server", "SERVER_URL", (o, text) => o with { Server = ParseServer(text) }),
        new("--labels", "WORKER_LABELS", (o, text) => o with
        {
            Labels = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries),
        }),
        new("--slots", "WORKER_SLOTS", (o, text) => o with { Slots = ParseNumber(text, 1, 256) }),
        new("--id", "WORKER_ID", (o, text) => o with { Id = ParseId(text) }),
        new("--lease-ttl", "WORKER_LEASE_TTL", (o, text) => o with { LeaseTtlSecs = ParseNumber(text, 1, 3600) }),
        new("--wait", "WORKER_WAIT", (o, text) => o with { WaitSecs = ParseNumber(text, 0, 60) }),
        new("--grace", "WORKER_GRACE", (o, text) => o with { GraceSecs = ParseNumber(text, 0, 3600) }),
        new("--api-key", ApiKeyVariable, (o, text) => o with { ApiKey = ParseApiKey(text) }),
    ];

    public const string ApiKeyVariable = "BROKER_API_KEY";

    public static ParsedOptions Parse(IReadOnlyList<string> args, Func<string, string?> environment)
    {
        var problems = new List<string>();
        var given = ReadCommandLine(args, problems, out bool help);
        var options = new WorkerOptions();
        foreach (var setting in Settings)
        {
            bool onCommandLine = given.TryGetValue(setting.Flag, out string? text);
            if (!onCommandLine)
                text = environment(setting.Variable);
            // A variable set to nothing counts as unset: compose files write VAR=${VAR:-}.
            if (text is null || (text.Length == 0 && !onCommandLine))
                continue;

            try
            {
                options = setting.Apply(options, text);
            }
            catch (FormatException wrong)
            {
                problems.Add($"{(onCommandLine ? setting.Flag : setting.Variable)}: {wrong.Message}");
            }
        }

        return new ParsedOptions(options, problems, help);
    }

    private static Dictionary<string, string> ReadCommandLine(IReadOnlyList<string> args, List<string> problems, out bool help)
    {
        help = false;
        var given = new Dictionary<string, string>(StringComparer.Ordinal);
        for (int i = 0; i < args.Count; i++)
        {
            if (args[i] is "--help" or "-h")
            {
                help = true;
                continue;
            }

            // Only the flag is ever repeated in a message: the value may be the key.
            string[] parts = args[i].Split('=', 2);
            if (!Settings.Any(s => s.Flag == parts[0]))
                problems.Add($"unknown option {parts[0]}; broker-worker --help lists what there is");
            else if (parts.Length == 2)
                given[parts[0]] = parts[1];
            else if (i + 1 < args.Count)
                given[parts[0]] = args[++i];
            else
                problems.Add($"{parts[0]}: write a value after it");
        }

        return given;
    }

    private static Uri ParseServer(string text)
    {
        if (!Uri.TryCreate(text.Trim(), UriKind.Absolute, out var server) || server.Scheme is not ("http" or "https"))
            throw new FormatException("write an address such as http://localhost:3000");
        if (server.UserInfo.Length > 0)
            throw new FormatException("write the address without user and password; a key belongs into " + ApiKeyVariable);
        if (server.Query.Length > 0 || server.Fragment.Length > 0)
            throw new FormatException("write the address without ? and #");
        return server;
    }

    private static int ParseNumber(string text, int min, int max) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= min && number <= max
            ? number
            : throw new FormatException($"write a whole number from {min} to {max}");

    private static string ParseId(string text) =>
        text.Length is > 0 and <= 200 && !text.Any(char.IsControl)
            ? text
            : throw new FormatException("write a name of 1 to 200 characters");

    private static string ParseApiKey(string text) =>
        text.Length > 0 && text.All(c => c is > ' ' and <= '~')
            ? text
            : throw new FormatException("write the key as it was given to you, without blanks or line ends");

    private sealed record Setting(string Flag, string Variable, Func<WorkerOptions, string, WorkerOptions> Apply);
}

internal sealed record ParsedOptions(WorkerOptions Options, IReadOnlyList<string> Problems, bool HelpAsked);
