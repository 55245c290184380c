using System.CommandLine;

namespace Broker.Cli;

/// <summary>Commands that talk to a broker over HTTP: the server's program and the tool offer the same.</summary>
internal static class ClientCommands
{
    /// <summary>Adds all of them.</summary>
    public static void AddTo(RootCommand root)
    {
        var connection = new Connection();
        foreach (var command in (IEnumerable<Command>)[.. StartCommands.Create(connection), RunsCommand.Create(connection), HandCommands.Create(connection), SteerCommands.Send(connection), ApplyCommand.Create(connection), BulkCommand.Create(connection), WebhookCommands.Create(connection), ScheduleCommands.Create(connection), OrderCommands.Maintenance(connection), .. LookCommands.Create(connection)])
        {
            connection.AddTo(command);
            root.Subcommands.Add(command);
        }

        root.Subcommands.Add(ProfileCommand.Create());
        root.Subcommands.Add(CompletionCommand.Create());
    }
}
