using System.CommandLine;
using System.Net.Http.Headers;
using Broker.Operators;
using Broker.Sdk;

namespace Broker.Cli;

/// <summary>Options of every command that talks to a broker: its address, the key and the form of the output.</summary>
internal sealed class Connection
{
    private const string DefaultServer = "http://localhost:3000";

    private readonly Option<string?> server = new("--server") { Description = $"Address of the broker; else BROKER_SERVER, else {DefaultServer}", Recursive = true, HelpName = "URL" };
    private readonly Option<FileInfo?> keyFile = new("--api-key-file") { Description = "File with the API key; else BROKER_API_KEY_FILE, else the key itself in BROKER_API_KEY", Recursive = true, HelpName = "FILE" };
    private readonly Option<string> form = new("--output", "-o") { Description = "table, wide, json, jsonl or name", Recursive = true, DefaultValueFactory = _ => "table", HelpName = "FORM" };
    private readonly Option<bool> noColour = new("--no-color") { Description = "No colours; NO_COLOR does the same", Recursive = true };

    public Connection() => form.AcceptOnlyFromAmong("table", "wide", "json", "jsonl", "name");

    /// <summary>Gives the options to a command and to those below it.</summary>
    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[server, keyFile, form, noColour]) command.Options.Add(option);
    }

    public Printer PrinterOf(ParseResult line)
    {
        var usesColour = !line.GetValue(noColour) && Environment.GetEnvironmentVariable("NO_COLOR") is null or "" && !Console.IsOutputRedirected;
        return new(line.InvocationConfiguration.Output, FormOf(line.GetValue(form)!), usesColour);
    }

    /// <summary>The client of the broker that the command line names.</summary>
    public async Task<(IOperatorApi Api, IDisposable Owner)> OpenAsync(ParseResult line, CancellationToken ct)
    {
        var text = line.GetValue(server) ?? Given("BROKER_SERVER") ?? DefaultServer;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            throw new CliException(ExitCodes.Usage, $"--server: expected an address such as {DefaultServer}");
        var http = Create(address, await KeyAsync(line, ct));
        return (new OperatorClient(http), http);
    }

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

    private async Task<string?> KeyAsync(ParseResult line, CancellationToken ct)
    {
        var path = line.GetValue(keyFile)?.FullName ?? Given("BROKER_API_KEY_FILE");
        if (path is null) return Given("BROKER_API_KEY");
        try
        {
            var text = (await File.ReadAllTextAsync(path, ct)).Trim();
            return text.Length is > 0 and <= 4096 ? text : throw new CliException(ExitCodes.Usage, $"--api-key-file: {path} holds no key of 1 to 4,096 characters");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCodes.Usage, $"--api-key-file: {fault.Message}");
        }
    }

    private static string? Given(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : null;

    private static OutputForm FormOf(string word) => word switch
    {
        "wide" => OutputForm.Wide,
        "json" => OutputForm.Json,
        "jsonl" => OutputForm.JsonLines,
        "name" => OutputForm.Name,
        _ => OutputForm.Table,
    };
}
