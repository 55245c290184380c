using System.CommandLine;
using Broker.Cli;

namespace Broker.Tool;

/// <summary>The command line without the server.</summary>
internal static class Program
{
    private static Task<int> Main(string[] args)
    {
        var root = new RootCommand("Starts, finds, explains and steers runs of a broker over HTTP.");
        ClientCommands.AddTo(root);
        return CliProgram.RunAsync(root, args, Console.Out, Console.Error);
    }
}
