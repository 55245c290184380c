using System.Diagnostics;
using Broker.Sdk;

namespace Broker.Cli;

/// <summary>Reads an API key from a file or from a command. No message repeats it.</summary>
internal static class KeySource
{
    private const int Longest = 4096;
    private static readonly TimeSpan CommandTimeout = TimeSpan.FromSeconds(30);

    public static async Task<string> OfFileAsync(string place, string path, bool mustBeOwn, CancellationToken ct)
    {
        try
        {
            if (mustBeOwn && !OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & (UnixFileMode.GroupRead | UnixFileMode.OtherRead)) != 0)
                throw new CliException(ExitCodes.Usage, $"{place}: other users may read {path}; chmod 600 it");
            return Checked(place, await File.ReadAllTextAsync(path, ct), path);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCodes.Usage, $"{place}: {fault.Message}");
        }
    }

    public static async Task<string> OfCommandAsync(string command, CancellationToken ct)
    {
        const string place = "key_command";
        string[] shell = OperatingSystem.IsWindows() ? ["cmd", "/c", command] : ["sh", "-c", command];
        using var process = Process.Start(new ProcessStartInfo(shell[0], shell[1..]) { RedirectStandardOutput = true }) ?? throw new CliException(ExitCodes.Usage, $"{place}: the command does not start");
        using var limit = new TimeLimit(CommandTimeout, TimeProvider.System, ct);
        try
        {
            var output = await process.StandardOutput.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return process.ExitCode == 0 ? Checked(place, output, "the command's output") : throw new CliException(ExitCodes.Usage, $"{place}: the command ended with code {process.ExitCode}");
        }
        catch (OperationCanceledException) when (limit.HasPassed)
        {
            throw new CliException(ExitCodes.Usage, $"{place}: the command did not end within {CommandTimeout.TotalSeconds} s");
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }

    /// <summary>The key without its line end.</summary>
    public static string Checked(string place, string text, string source)
    {
        var key = text.Trim();
        return key.Length is > 0 and <= Longest && key.All(letter => letter is > ' ' and < '\u007f') ? key : throw new CliException(ExitCodes.Usage, $"{place}: {source} holds no key of 1 to 4,096 characters");
    }
}
