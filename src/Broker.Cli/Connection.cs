using System.CommandLine;
using System.Net.Http.Headers;
using Broker.Operators;
using Broker.Sdk;

namespace Broker.Cli;

/// <summary>Options of every command that talks to a broker: its address, the key and the form of the output.</summary>
internal sealed class Connection
{
    private const string DefaultServer = "http://localhost:3000";

    private readonly Option<string?> server = new("--server") { Description = $"Address of the broker; else BROKER_SERVER, else the profile's, else {DefaultServer}", Recursive = true, HelpName = "URL" };
    private readonly Option<FileInfo?> keyFile = new("--api-key-file") { Description = "File with the API key; else BROKER_API_KEY_FILE, else the key itself in BROKER_API_KEY, else the profile's", Recursive = true, HelpName = "FILE" };
    private readonly Option<string?> profile = new("--profile") { Description = "Profile of the broker; else BROKER_PROFILE, else the one that profile use chose", Recursive = true, HelpName = "NAME" };
    private readonly Option<string> form = new("--output", "-o") { Description = "table, wide, json, jsonl, yaml or name", Recursive = true, DefaultValueFactory = _ => "table", HelpName = "FORM" };
    private readonly Option<string?> columns = new("--columns") { Description = "Columns of a table, separated by commas, in this order", Recursive = true, HelpName = "A,B" };
    private readonly Option<bool> noColour = new("--no-color") { Description = "No colours; NO_COLOR does the same", Recursive = true };

    public Connection() => form.AcceptOnlyFromAmong("table", "wide", "json", "jsonl", "yaml", "name");

    /// <summary>Gives the options to a command and to those below it.</summary>
    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[server, keyFile, profile, form, columns, noColour]) command.Options.Add(option);
    }

    /// <summary>The command line itself names a broker or its key.</summary>
    public bool IsNamed(ParseResult line) => line.GetValue(server) is not null || line.GetValue(profile) is not null || line.GetValue(keyFile) is not null;

    public Printer PrinterOf(ParseResult line)
    {
        var usesColour = !line.GetValue(noColour) && Environment.GetEnvironmentVariable("NO_COLOR") is null or "" && !Console.IsOutputRedirected;
        var chosen = line.GetValue(columns)?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return new(line.InvocationConfiguration.Output, FormOf(line.GetValue(form)!), usesColour, chosen);
    }

    /// <summary>The client of the broker that the command line names.</summary>
    public async Task<(IOperatorApi Api, IDisposable Owner)> OpenAsync(ParseResult line, CancellationToken ct)
    {
        var http = await CreateAsync(line, ct);
        return (new OperatorClient(http), http);
    }

    private async Task<HttpClient> CreateAsync(ParseResult line, CancellationToken ct)
    {
        var chosen = Profiles.Find(line.GetValue(profile) ?? Given("BROKER_PROFILE"));
        var given = line.GetValue(server) ?? Given("BROKER_SERVER");
        var address = AddressOf(given ?? chosen?.Server ?? DefaultServer);

        // The key of a profile is for the profile's broker alone.
        var isOfProfile = chosen is not null && (given is null || (chosen.Server is { } own && AddressOf(own) == address));
        return Create(address, await KeyAsync(line, isOfProfile ? chosen : null, ct));
    }

    /// <summary>An address as it is written on the command line.</summary>
    public static Uri AddressOf(string text) => Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
        ? address
        : throw new CliException(ExitCodes.Usage, $"--server: expected an address such as {DefaultServer}");

    /// <summary>A client with the broker's address and a key. Redirects are not followed: they would carry the key elsewhere.</summary>
    internal static HttpClient Create(Uri address, string? key)
    {
        var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false })
        {
            BaseAddress = address.AbsoluteUri.EndsWith('/') ? address : new Uri(address.AbsoluteUri + "/"),
            Timeout = TimeSpan.FromSeconds(100),
        };
        if (key is not null) http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return http;
    }

    private async Task<string?> KeyAsync(ParseResult line, Profile? chosen, CancellationToken ct)
    {
        if ((line.GetValue(keyFile)?.FullName ?? Given("BROKER_API_KEY_FILE")) is { } path) return await KeySource.OfFileAsync("--api-key-file", path, mustBeOwn: false, ct);
        if (Given("BROKER_API_KEY") is { } key) return key;
        if (chosen?.KeyFile is { } own) return await KeySource.OfFileAsync("key_file", own, mustBeOwn: true, ct);
        return chosen?.KeyCommand is { } command ? await KeySource.OfCommandAsync(command, ct) : null;
    }

    private static string? Given(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : null;

    private static OutputForm FormOf(string word) => word switch
    {
        "wide" => OutputForm.Wide,
        "json" => OutputForm.Json,
        "jsonl" => OutputForm.JsonLines,
        "yaml" => OutputForm.Yaml,
        "name" => OutputForm.Name,
        _ => OutputForm.Table,
    };
}
