using System.CommandLine;

namespace Broker.Cli;

/// <summary><c>broker completion SHELL</c> prints a script that asks <c>broker "[suggest:N]" LINE</c> for the words that may come next.</summary>
internal static class CompletionCommand
{
    private const string Bash = """
        _broker() {
            local IFS=$'\n'
            COMPREPLY=($(compgen -W "$(broker "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _broker broker
        """;

    private const string Zsh = """
        #compdef broker
        _broker() {
            local -a words_next
            words_next=("${(@f)$(broker "[suggest:$CURSOR]" "$BUFFER" 2>/dev/null)}")
            compadd -a words_next || _files
        }
        compdef _broker broker
        """;

    private const string Fish = """
        function __broker_suggest
            set -l line (commandline -cp)
            broker "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
        end
        complete -c broker -f -a '(__broker_suggest)'
        """;

    private const string Pwsh = """
        Register-ArgumentCompleter -Native -CommandName broker -ScriptBlock {
            param($word, $line, $position)
            broker "[suggest:$position]" "$line" 2>$null | Where-Object { $_ -like "$word*" } |
                ForEach-Object { [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_) }
        }
        """;

    public static Command Create()
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh, fish or pwsh" };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish", "pwsh");
        var command = new Command("completion", "Prints a script for completion, such as: source <(broker completion bash)") { shell };
        command.SetLocalAction(line =>
        {
            line.InvocationConfiguration.Output.WriteLine(line.GetValue(shell) switch
            {
                "bash" => Bash,
                "zsh" => Zsh,
                "fish" => Fish,
                _ => Pwsh,
            });
            return Task.FromResult(ExitCodes.Succeeded);
        });
        return command;
    }
}
