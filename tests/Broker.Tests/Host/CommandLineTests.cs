using Broker.Commands;
using Broker.Testing;
using Xunit;

namespace Broker.Tests.Host;

/// <summary>Words and options of the command line; no server is started.</summary>
public sealed class CommandLineTests
{
    [Theory]
    [InlineData("--help")]
    [InlineData("-h")]
    [InlineData("--help", "--PORT=3000")]
    public async Task Help_lists_the_commands(params string[] args)
    {
        var (code, output, _) = await RunAsync(args);
        Assert.Equal(0, code);
        foreach (var word in (string[])["keys", "migrate", "backup <FILE>", "--healthcheck", "--version"])
            Assert.Contains(word, output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_command_has_help()
    {
        foreach (var command in (string[][])[["keys"], ["keys", "create"], ["keys", "list"], ["keys", "revoke"], ["migrate"], ["backup"]])
        {
            var (code, output, _) = await RunAsync([.. command, "--help"]);
            Assert.Equal(0, code);
            Assert.Contains($"{string.Join(' ', command)}", output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Version_is_the_version_of_the_program()
    {
        var (code, output, _) = await RunAsync("--version");
        Assert.Equal(0, code);
        Assert.Matches("^[0-9]+\\.[0-9]+\\.[0-9]+", output);
    }

    [Theory]
    [InlineData("unknown option --prot", "--prot")]
    [InlineData("unknown option --prot=3000", "--prot=3000")]
    [InlineData("unknown option --urls=http://localhost:1", "--urls=http://localhost:1")]
    [InlineData("unknown option -x", "-x")]
    [InlineData("'serve' is no command", "serve")]
    [InlineData("unknown option --force", "migrate", "--force")]
    [InlineData("'now' is one word too many", "migrate", "now")]
    [InlineData("Required argument 'FILE' missing for command", "backup")]
    public async Task A_faulty_command_line_ends_with_a_message_and_code_2(string expected, params string[] args)
    {
        var (code, output, errors) = await RunAsync(args);
        Assert.Equal((2, ""), (code, output));
        Assert.StartsWith($"broker: {expected}", errors, StringComparison.Ordinal);
        Assert.Contains("Usage:", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--PORT=1 keys list", "--PORT=1", "keys list")]
    [InlineData("keys list --Broker:Port 1 PORT=2", "--Broker:Port 1 PORT=2", "keys list")]
    [InlineData("--port 1", "--port 1", "")]
    [InlineData("--DATABASE_URL=sqlite:a=b.db migrate", "--DATABASE_URL=sqlite:a=b.db", "migrate")]
    [InlineData("keys create --name a=b", "", "keys create --name a=b")]
    public void Settings_may_stand_anywhere(string line, string settings, string words)
    {
        var split = SettingWords.Split(line.Split(' '));
        Assert.Equal((settings, words), (string.Join(' ', split.Settings), string.Join(' ', split.Words)));
    }

    [Fact]
    public async Task Help_of_the_program_starts_no_server()
    {
        await using var program = new ManagedProcess(RepositoryLayout.HostProgram(), arguments: ["--help"]);
        await program.StartUntilAsync("Usage:");
        await Eventually.TrueAsync(() => program.HasExited, TimeSpan.FromSeconds(60));
        Assert.Equal(0, program.ExitCode);
    }

    private static async Task<(int Code, string Output, string Errors)> RunAsync(params string[] args)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        return (await CommandLine.RunAsync(args, output, errors), output.ToString(), errors.ToString());
    }
}
