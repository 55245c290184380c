using System.CommandLine;
using Broker.Cli;

namespace Broker.Commands;

/// <summary>The first word names the command; without one, the broker serves. Settings may stand anywhere: <c>--Broker:Port=3000</c>, <c>PORT=3000</c>.</summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter errors)
    {
        var (settings, words) = SettingWords.Split(args);
        return await CliProgram.RunAsync(Root(settings), words, output, errors);
    }

    private static RootCommand Root(string[] settings)
    {
        var healthcheck = new Option<bool>("--healthcheck") { Description = "Exit with code 0 when the broker in this container is ready, else 1" };
        var root = new RootCommand("Keeps workflow definitions, runs them and hands their steps to workers over HTTP. Without a command it serves.")
        {
            healthcheck, KeysCommand.Create(settings), MigrateCommand.Create(settings), BackupCommand.Create(settings), RestoreCommand.Create(settings), ValidateCommand.Create(), DevCommand.Create(settings),
        };
        ClientCommands.AddTo(root);
        root.SetAction((line, _) => line.GetValue(healthcheck)
            ? HealthCheckCommand.RunAsync(settings, line.InvocationConfiguration.Output, line.InvocationConfiguration.Error)
            : ServeCommand.RunAsync(settings, line.InvocationConfiguration.Error));
        return root;
    }
}
