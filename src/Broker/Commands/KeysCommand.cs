using System.CommandLine;
using System.CommandLine.Parsing;
using Broker.Auth;
using Broker.Cli;
using Broker.Operators;
using Broker.Startup;
using Broker.Storage.Contracts;

namespace Broker.Commands;

/// <summary>
/// Creates, lists and revokes API keys in the configured database; no broker need run. Where the command line names a broker, it does so over the API.
/// </summary>
internal static class KeysCommand
{
    private const int LongestName = 100;

    public static Command Create(string[] settings)
    {
        var connection = new Connection();
        var keys = new Command("keys", "Create, list and revoke API keys in the database; with --server, --profile or --api-key-file over the API")
        {
            Creating(settings, connection), Listing(settings, connection), Revoking(settings, connection),
        };
        connection.AddTo(keys);
        return keys;
    }

    private static Command Creating(string[] settings, Connection connection)
    {
        var name = new Option<string>("--name") { Description = "By which you will know the key", HelpName = "N", Required = true, CustomParser = NameOf };
        var scopes = new Option<Scope>("--scopes") { Description = $"Comma list: {ScopeWords.Expected}", HelpName = "A,B", Required = true, CustomParser = ScopesOf };
        var workflows = new Option<string[]>("--workflows") { Description = "The only workflows that the key is for; without this, all", HelpName = "A,B", CustomParser = WorkflowsOf };
        var printConfig = new Option<bool>("--print-config") { Description = "Print configuration instead of storing the key" };
        var command = new Command("create", "Make a key and show it once, on standard output") { name, scopes, workflows, printConfig };
        command.SetAction((line, ct) =>
        {
            // An option of an array type that is left out has an empty array as its value: a key for no workflow.
            var only = line.GetResult(workflows) is null ? null : line.GetValue(workflows);
            if (connection.IsNamed(line))
            {
                return CliCommand.CallAsync(
                    line, connection,
                    (call, stop) => line.GetValue(printConfig)
                        ? throw new CliException(ExitCodes.Usage, "--print-config stores no key: leave the broker out")
                        : KeyCommands.CreateAsync(call, new() { Name = line.GetRequiredValue(name), Scopes = ScopeWords.Of(line.GetRequiredValue(scopes)), Workflows = only }, stop),
                    ct);
            }

            var (id, key) = ApiKey.Create();
            var made = new StoredKey(id, line.GetRequiredValue(name), ApiKey.HashOf(key), ScopeWords.Of(line.GetRequiredValue(scopes)), only, default, null, null);
            var (output, errors) = (line.InvocationConfiguration.Output, line.InvocationConfiguration.Error);
            return line.GetValue(printConfig)
                ? PrintAsync(made, key, output, errors)
                : OnKeysAsync(settings, errors, (keys, _) => StoreAsync(made, key, keys, connection.PrinterOf(line), errors), ct);
        });
        return command;
    }

    private static Command Listing(string[] settings, Connection connection)
    {
        var command = new Command("list", "Show all keys, without their secret part");
        command.SetAction((line, ct) => connection.IsNamed(line)
            ? CliCommand.CallAsync(line, connection, KeyCommands.ListAsync, ct)
            : OnKeysAsync(settings, line.InvocationConfiguration.Error, (keys, auth) => ListAsync(keys, auth, connection.PrinterOf(line)), ct));
        return command;
    }

    private static Command Revoking(string[] settings, Connection connection)
    {
        // An operator who finds a leaked key has its whole text at hand.
        var id = new Argument<string>("ID")
        {
            Description = "Id of the key, or the key itself",
            CustomParser = read => ApiKey.IdOf(read.Tokens[0].Value) is { IsEmpty: false } inKey ? inKey.ToString() : read.Tokens[0].Value,
        };
        var command = new Command("revoke", "End a key; brokers refuse it within 5 s") { id };
        command.SetAction((line, ct) => connection.IsNamed(line)
            ? CliCommand.CallAsync(line, connection, (call, stop) => KeyCommands.RevokeAsync(call, line.GetRequiredValue(id), stop), ct)
            : OnKeysAsync(
                settings,
                line.InvocationConfiguration.Error,
                (keys, auth) => RevokeAsync(line.GetRequiredValue(id), keys, auth, line.InvocationConfiguration.Output, line.InvocationConfiguration.Error),
                ct));
        return command;
    }

    private static string? NameOf(ArgumentResult read)
    {
        var name = read.Tokens[0].Value.Trim();
        if (name.Length is 0 or > LongestName || name.Any(char.IsControl)) read.AddError($"write --name and a name of 1 to {LongestName} characters, by which you will know the key");
        return name;
    }

    private static Scope ScopesOf(ArgumentResult read)
    {
        if (ScopeWords.Read(List(read.Tokens[0].Value)) is { } scopes and not Scope.None) return scopes;
        read.AddError($"write --scopes and {ScopeWords.Expected}");
        return Scope.None;
    }

    private static string[] WorkflowsOf(ArgumentResult read)
    {
        var names = List(read.Tokens[0].Value);
        if (names.Length == 0) read.AddError("write --workflows and the names of the only workflows it is for, with commas between them; or leave it out");
        return names;
    }

    private static string[] List(string text) => text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static async Task<int> OnKeysAsync(string[] settings, TextWriter errors, Func<IKeyStore, AuthSettings, Task<int>> act, CancellationToken ct)
    {
        if (await CommandSettings.ReadAsync(settings, errors) is not { } setup) return 1;
        try
        {
            await using var services = CommandStores.Of(setup.Settings);

            // The first key is made before the first start: beyond loopback the broker does not start without.
            await services.GetRequiredService<ISchema>().MigrateAsync(ct);
            return await act(services.GetRequiredService<IKeyStore>(), setup.Broker.Auth);
        }
        catch (Exception fault) when (StartFaults.MessageOf(fault, setup.Settings) is { } message)
        {
            await errors.WriteLineAsync($"broker keys: the database cannot be used: {message}");
            return 1;
        }
    }

    private static async Task<int> StoreAsync(StoredKey made, string key, IKeyStore keys, Printer printer, TextWriter errors)
    {
        await keys.AddAsync(made, Caller.CommandLine.Id, CancellationToken.None);
        await KeyCommands.ShowAsync(new(key, KeyInfos.Of((await keys.ListAsync(CancellationToken.None)).Single(stored => stored.Id == made.Id))), printer, errors);
        return 0;
    }

    private static async Task<int> PrintAsync(StoredKey made, string key, TextWriter output, TextWriter errors)
    {
        await output.WriteLineAsync(key);
        await errors.WriteLineAsync("The key, shown only now, is on standard output. For the environment of the broker (N: 0, or the next free number):");
        await errors.WriteLineAsync($"Broker__Auth__Keys__N__Id={made.Id}");
        await errors.WriteLineAsync($"Broker__Auth__Keys__N__Hash={made.Hash}");
        await errors.WriteLineAsync($"Broker__Auth__Keys__N__Scopes={string.Join(',', made.Scopes)}");
        if (made.Workflows is not null) await errors.WriteLineAsync($"Broker__Auth__Keys__N__Workflows={string.Join(',', made.Workflows)}");
        return 0;
    }

    private static async Task<int> ListAsync(IKeyStore keys, AuthSettings auth, Printer printer)
    {
        KeyCommands.Show([.. (await keys.ListAsync(CancellationToken.None)).Select(KeyInfos.Of), .. auth.Keys.Select(KeyInfos.Of)], printer);
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
}
