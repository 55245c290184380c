using System.Text.Json;
using Broker.Operators;

namespace Broker.Cli;

/// <summary>A JSON value on the command line: the text itself, or <c>@FILE</c>.</summary>
internal static class JsonArgument
{
    public static async Task<RawJson> ReadAsync(string option, string text, CancellationToken ct)
    {
        try
        {
            if (text.StartsWith('@')) text = await File.ReadAllTextAsync(text[1..], ct);
            using var parsed = JsonDocument.Parse(text);
            return new(parsed.RootElement.GetRawText());
        }
        catch (JsonException fault)
        {
            throw new CliException(ExitCodes.Usage, $"{option}: not JSON: {fault.Message}");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCodes.Usage, $"{option}: {fault.Message}");
        }
    }
}
