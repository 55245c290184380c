using System.CommandLine;
using Broker.Operators;

namespace Broker.Cli;

/// <summary><c>broker keys</c> over the API. The server's program has the same words for the database itself.</summary>
internal static class KeyCommands
{
    public static Command Create(Connection connection)
    {
        var name = new Option<string>("--name") { Description = "Name of the key, for lists", HelpName = "N", Required = true };
        var scopes = new Option<string>("--scopes") { Description = "Scopes, separated by commas", HelpName = "A,B", Required = true };
        var workflows = new Option<string?>("--workflows") { Description = "The only workflows that the key is for; without this, all", HelpName = "A,B" };
        var creating = new Command("create", "Make a key and show it once, on standard output") { name, scopes, workflows };
        creating.SetAction(connection, (call, ct) => CreateAsync(
            call,
            new() { Name = call.Line.GetValue(name), Scopes = WordsOf(call.Line.GetValue(scopes)!), Workflows = call.Line.GetValue(workflows) is { } names ? WordsOf(names) : null },
            ct));
        var listing = new Command("list", "Show all keys, without their secret part");
        listing.SetAction(connection, ListAsync);
        var id = new Argument<string>("ID") { Description = "Id of the key" };
        var revoking = new Command("revoke", "End a key; brokers refuse it within 5 s") { id };
        revoking.SetAction(connection, (call, ct) => RevokeAsync(call, call.Line.GetValue(id)!, ct));
        return new Command("keys", "Create, list and revoke API keys") { creating, listing, revoking };
    }

    public static async Task<int> CreateAsync(CliCall call, NewKey key, CancellationToken ct)
    {
        await ShowAsync(await call.Api.CreateKeyAsync(key, ct), call.Printer, call.Talk);
        return ExitCodes.Succeeded;
    }

    public static async Task<int> ListAsync(CliCall call, CancellationToken ct)
    {
        Show((await call.Api.ListKeysAsync(ct)).Items, call.Printer);
        return ExitCodes.Succeeded;
    }

    public static async Task<int> RevokeAsync(CliCall call, string id, CancellationToken ct)
    {
        var revoked = await call.Api.RevokeKeyAsync(id, ct);
        call.Printer.One(revoked, OperatorJson.Default.KeyInfo, key => key.Id, key => call.Printer.Line($"Revoked {key.Id}. Running brokers refuse it within 5 s."));
        return ExitCodes.Succeeded;
    }

    /// <summary>The key alone goes to standard output, so that a script can take it from there.</summary>
    public static async Task ShowAsync(CreatedKey made, Printer printer, TextWriter talk)
    {
        printer.One(made, OperatorJson.Default.CreatedKey, m => m.Key, m => printer.Line(m.Key));
        var reach = made.Info.Workflows is { } names ? $"the workflows {string.Join(", ", names)}" : "all workflows";
        await talk.WriteLineAsync(
            $"Created key {made.Info.Id} '{made.Info.Name}' with {string.Join(',', made.Info.Scopes)} on {reach}. It is shown only now. Running brokers know it within 5 s, and ask for keys from then on.");
    }

    public static void Show(IReadOnlyList<KeyInfo> keys, Printer printer) => printer.Items(
        keys,
        OperatorJson.Default.KeyInfo,
        key => key.Id,
        new("ID", key => key.Id),
        new("NAME", key => key.Name),
        new("SCOPES", key => string.Join(',', key.Scopes)),
        new("WORKFLOWS", key => key.Workflows is null ? "all" : string.Join(',', key.Workflows)),
        new("CREATED", key => Cells.Time(key.CreatedAt)),
        new("LAST USED", key => key is { LastUsedAt: null, CreatedAt: not null } ? "never" : Cells.Time(key.LastUsedAt)),
        new("STATE", key => key.RevokedAt is { } revoked ? $"revoked {Cells.Time(revoked)}" : "valid"));

    private static string[] WordsOf(string list) => list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
