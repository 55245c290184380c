using System.CommandLine;

namespace Broker.Cli;

/// <summary><c>broker profile</c>: brokers by name, in the user's configuration folder. Keys are stored in files of their own and never printed.</summary>
internal static class ProfileCommand
{
    public static Command Create() => new("profile", "Brokers by name: address and key") { List(), Use(), Set(), Login() };

    private static Argument<string> Name()
    {
        var name = new Argument<string>("NAME") { Description = "Name of the profile: letters, digits, - and _" };
        name.CompletionSources.Add(_ => Profiles.Read().Profiles.Keys);
        return name;
    }

    private static Command List()
    {
        var command = new Command("list", "Lists the profiles; * is the one in use");
        command.SetLocalAction(line =>
        {
            var content = Profiles.Read();
            foreach (var (name, profile) in content.Profiles)
            {
                var key = profile.KeyFile is not null ? "key file" : profile.KeyCommand is not null ? "key command" : "no key";
                line.InvocationConfiguration.Output.WriteLine($"{(name == content.Use ? "*" : " ")} {name}  {profile.Server}  {key}");
            }

            return Task.FromResult(ExitCodes.Succeeded);
        });
        return command;
    }

    private static Command Use()
    {
        var name = Name();
        var command = new Command("use", "Chooses the profile of later commands") { name };
        command.SetLocalAction(line =>
        {
            var wanted = line.GetValue(name)!;
            Profiles.Find(wanted);
            Profiles.Write(Profiles.Read() with { Use = wanted });
            return Task.FromResult(ExitCodes.Succeeded);
        });
        return command;
    }

    private static Command Set()
    {
        var name = Name();
        var server = new Option<string?>("--server") { Description = "Address of the broker", HelpName = "URL" };
        var keyFile = new Option<FileInfo?>("--api-key-file") { Description = "File with the key, which only you may read", HelpName = "FILE" };
        var keyCommand = new Option<string?>("--key-command") { Description = "Command that prints the key, such as: pass show broker", HelpName = "COMMAND" };
        var command = new Command("set", "Makes or changes a profile; the first one is in use at once") { name, server, keyFile, keyCommand };
        command.SetLocalAction(line =>
        {
            var file = line.GetValue(keyFile)?.FullName;
            var source = line.GetValue(keyCommand);
            if (file is not null && source is not null) throw new CliException(ExitCodes.Usage, "--key-command: the profile has one key: give this or --api-key-file");
            Change(line.GetValue(name)!, profile => profile with
            {
                Server = line.GetValue(server) is { } address ? Connection.AddressOf(address).AbsoluteUri : profile.Server,
                KeyFile = file ?? (source is null ? profile.KeyFile : null),
                KeyCommand = source ?? (file is null ? profile.KeyCommand : null),
            });
            return Task.FromResult(ExitCodes.Succeeded);
        });
        return command;
    }

    // From standard input: a key on the command line would be in the shell's history and in the list of processes.
    private static Command Login()
    {
        var name = Name();
        var command = new Command("login", "Reads a key from standard input, without echo, and stores it in a file that only you may read") { name };
        command.SetLocalAction(async line =>
        {
            var profile = line.GetValue(name)!;
            CheckName(profile);
            var talk = line.InvocationConfiguration.Error;
            var text = Console.IsInputRedirected ? await Console.In.ReadLineAsync() ?? "" : await AskAsync(talk);
            var path = Profiles.WriteKey(profile, KeySource.Checked("login", text, "standard input"));
            Change(profile, before => before with { KeyFile = path, KeyCommand = null });
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static void Change(string name, Func<Profile, Profile> change)
    {
        CheckName(name);
        var content = Profiles.Read();
        content.Profiles[name] = change(content.Profiles.GetValueOrDefault(name) ?? new());
        Profiles.Write(content with { Use = content.Use ?? name });
    }

    private static void CheckName(string name)
    {
        if (!Profiles.IsName(name)) throw new CliException(ExitCodes.Usage, $"'{name}' is no name of a profile: expected 1 to 64 letters, digits, - and _");
    }

    private static async Task<string> AskAsync(TextWriter talk)
    {
        await talk.WriteAsync("API key: ");
        var typed = new System.Text.StringBuilder();
        while (Console.ReadKey(intercept: true) is { Key: not ConsoleKey.Enter } pressed)
        {
            if (pressed.Key is ConsoleKey.Backspace) typed.Length = Math.Max(0, typed.Length - 1);
            else if (pressed.KeyChar != '\0') typed.Append(pressed.KeyChar);
        }

        await talk.WriteLineAsync();
        return typed.ToString();
    }
}
