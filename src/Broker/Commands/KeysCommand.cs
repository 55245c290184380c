using System.Data.Common;
using System.Globalization;
using System.Net.Sockets;
using Broker.Auth;
using Broker.Storage;
using Broker.Storage.Schema;

namespace Broker.Commands;

/// <summary>Creates, lists and revokes API keys in the configured database; no broker need run.</summary>
internal sealed class KeysCommand : ICommand
{
    private const int LongestName = 100;

    public string Word => "keys";

    public string Usage =>
        """
        keys create --name N --scopes read,create,manage,event,tick,worker,admin [--workflows A,B]
        keys create --name N --scopes A,B [--workflows A,B] --print-config    print configuration instead of storing the key
        keys list
        keys revoke ID
        """;

    public async Task<int> RunAsync(string[] args, TextWriter output, TextWriter errors)
    {
        var line = KeysLine.Read(args);
        if (line.Problems.Count > 0)
        {
            foreach (var problem in line.Problems) await errors.WriteLineAsync($"broker keys: {problem}");
            await errors.WriteLineAsync($"broker {Usage.ReplaceLineEndings($"{Environment.NewLine}broker ")}");
            return 2;
        }

        if (line is { Action: "create", PrintConfig: true }) return await PrintAsync(line, output, errors);
        if (await CommandSettings.ReadAsync(args, errors) is not { } setup) return 1;

        await using var services = CommandStores.Of(setup.Settings);
        try
        {
            // The first key is made before the first start: beyond loopback the broker does not start without.
            await services.GetRequiredService<Migrator>().MigrateAsync(CancellationToken.None);
            return await ActAsync(line, services.GetRequiredService<IKeyStore>(), setup.Auth, output, errors);
        }
        catch (Exception fault) when (fault is DbException or InvalidOperationException or IOException or SocketException or TimeoutException)
        {
            await errors.WriteLineAsync($"broker keys: the database cannot be used: {fault.GetBaseException().Message}");
            return 1;
        }
    }

    private static Task<int> ActAsync(KeysLine line, IKeyStore keys, AuthSettings auth, TextWriter output, TextWriter errors) => line.Action switch
    {
        "create" => CreateAsync(line, keys, output, errors),
        "list" => ListAsync(keys, auth, output),
        _ => RevokeAsync(line.Id, keys, auth, output, errors),
    };

    private static async Task<int> CreateAsync(KeysLine line, IKeyStore keys, TextWriter output, TextWriter errors)
    {
        var (id, key) = ApiKey.Create();
        var stored = new StoredKey(id, line.Name, ApiKey.HashOf(key), ScopeWords.Of(line.Scopes), line.Workflows, default, null, null);
        await keys.AddAsync(stored, Caller.CommandLine.Id, CancellationToken.None);

        // The key alone goes to standard output, so that a script can take it from there.
        await output.WriteLineAsync(key);
        await errors.WriteLineAsync($"Created key {id} '{line.Name}' with {Described(stored)}. It is shown only now. Running brokers know it within 5 s, and ask for keys from then on.");
        return 0;
    }

    private static async Task<int> PrintAsync(KeysLine line, TextWriter output, TextWriter errors)
    {
        var (id, key) = ApiKey.Create();
        await output.WriteLineAsync(key);
        await errors.WriteLineAsync("The key, shown only now, is on standard output. For the environment of the broker (N: 0, or the next free number):");
        await errors.WriteLineAsync($"Broker__Auth__Keys__N__Id={id}");
        await errors.WriteLineAsync($"Broker__Auth__Keys__N__Hash={ApiKey.HashOf(key)}");
        await errors.WriteLineAsync($"Broker__Auth__Keys__N__Scopes={string.Join(',', ScopeWords.Of(line.Scopes))}");
        if (line.Workflows is not null) await errors.WriteLineAsync($"Broker__Auth__Keys__N__Workflows={string.Join(',', line.Workflows)}");
        return 0;
    }

    private static async Task<int> ListAsync(IKeyStore keys, AuthSettings auth, TextWriter output)
    {
        List<string[]> rows = [["ID", "NAME", "SCOPES", "WORKFLOWS", "CREATED", "LAST USED", "STATE"]];
        foreach (var key in await keys.ListAsync(CancellationToken.None))
        {
            rows.Add([
                key.Id, key.Name, string.Join(',', key.Scopes), key.Workflows is null ? "all" : string.Join(',', key.Workflows),
                Instant(key.CreatedAt), key.LastUsedAt is { } used ? Instant(used) : "never", key.RevokedAt is { } revoked ? $"revoked {Instant(revoked)}" : "valid",
            ]);
        }

        foreach (var key in auth.Keys)
            rows.Add([key.Id, "(configuration)", string.Join(',', ScopeWords.Of(key.Scopes)), key.Workflows is null ? "all" : string.Join(',', key.Workflows), "-", "-", "valid"]);

        var widths = Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length)).ToArray();
        foreach (var row in rows) await output.WriteLineAsync(string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
        return 0;
    }

    private static async Task<int> RevokeAsync(string id, IKeyStore keys, AuthSettings auth, TextWriter output, TextWriter errors)
    {
        if (await keys.RevokeAsync(id, Caller.CommandLine.Id, CancellationToken.None))
        {
            await output.WriteLineAsync($"Revoked {id}. Running brokers refuse it within 5 s.");
            return 0;
        }

        await errors.WriteLineAsync(auth.Keys.Any(key => key.Id == id)
            ? $"broker keys: {id} is a key of the configuration; take it out of Broker:Auth:Keys and restart the brokers."
            : $"broker keys: there is no valid key '{id}'; broker keys list shows those there are.");
        return 1;
    }

    private static string Described(StoredKey key) =>
        $"{string.Join(',', key.Scopes)} on {(key.Workflows is null ? "all workflows" : $"the workflows {string.Join(", ", key.Workflows)}")}";

    private static string Instant(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>The command line of this command, and everything that is wrong with it.</summary>
    private sealed record KeysLine(string Action, string Id, string Name, Scope Scopes, IReadOnlyList<string>? Workflows, bool PrintConfig, IReadOnlyList<string> Problems)
    {
        public static KeysLine Read(string[] args)
        {
            var problems = new List<string>();
            var (words, options, printConfig) = Split(args, problems);
            var action = words.FirstOrDefault("");
            string id = "", name = "";
            var scopes = Scope.None;
            List<string>? workflows = null;
            switch (action)
            {
                case "create":
                    name = options.GetValueOrDefault("--name", "").Trim();
                    if (name.Length is 0 or > LongestName || name.Any(char.IsControl)) problems.Add($"write --name and a name of 1 to {LongestName} characters, by which you will know the key");
                    scopes = ScopeWords.Read(List(options.GetValueOrDefault("--scopes", ""))) ?? Scope.None;
                    if (scopes is Scope.None) problems.Add($"write --scopes and {ScopeWords.Expected}");
                    if (options.TryGetValue("--workflows", out var names) && (workflows = [.. List(names)]).Count == 0)
                        problems.Add("write --workflows and the names of the only workflows it is for, with commas between them; or leave it out");
                    break;
                case "list":
                    break;
                case "revoke":
                    // Who has found a key in the wrong place has the whole of it at hand.
                    id = words.Count == 2 ? ApiKey.IdOf(words[1]) is { IsEmpty: false } inKey ? inKey.ToString() : words[1] : "";
                    if (id.Length == 0) problems.Add("write the id of one key after revoke; broker keys list shows them");
                    break;
                default:
                    problems.Add("write create, list or revoke after keys");
                    break;
            }

            if (action is not "create" && (options.Count > 0 || printConfig)) problems.Add("options go with create only");
            if (action is "create" or "list" && words.Count > 1) problems.Add($"write nothing after {action} but options; a name with blanks in it needs quotes");
            return new(action, id, name, scopes, workflows, printConfig, problems);
        }

        private static (List<string> Words, Dictionary<string, string> Options, bool PrintConfig) Split(string[] args, List<string> problems)
        {
            var words = new List<string>();
            var options = new Dictionary<string, string>(StringComparer.Ordinal);
            var printConfig = false;
            for (var i = 1; i < args.Length; i++)
            {
                var parts = args[i].Split('=', 2);
                if (!args[i].StartsWith("--", StringComparison.Ordinal)) words.Add(args[i]);
                else if (parts[0] == "--print-config") printConfig = true;
                else if (parts[0] is "--name" or "--scopes" or "--workflows")
                {
                    if (parts.Length == 2) options[parts[0]] = parts[1];
                    else if (i + 1 < args.Length && !args[i + 1].StartsWith("--", StringComparison.Ordinal)) options[parts[0]] = args[++i];
                    else problems.Add($"write a value after {parts[0]}");
                }
                else if (parts.Length == 1) problems.Add($"unknown option {parts[0]}");

                // With a value it is a setting, as for the broker itself: --DATABASE_URL=…
            }

            return (words, options, printConfig);
        }

        private static string[] List(string text) => text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
    }
}
