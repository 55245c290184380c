using System.CommandLine;
using Broker.Cli;

namespace Broker.Tool;

/// <summary>The command line without the server.</summary>
internal static class Program
{
    private static Task<int> Main(string[] args)
    {
        var root = new RootCommand("Starts, finds, explains and steers runs of a broker over HTTP.");
        var connection = new Connection();
        var keys = KeyCommands.Create(connection);
        connection.AddTo(keys);
        root.Subcommands.Add(keys);
        ClientCommands.AddTo(root);
        return CliProgram.RunAsync(root, args, Console.Out, Console.Error);
    }
}
