using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Broker.Operators;

namespace Broker.Cli;

/// <summary><c>broker run</c> starts a run, <c>broker wait</c> waits for one. The exit code is that of the outcome.</summary>
internal static class StartCommands
{
    private static readonly TimeSpan CancelTimeout = TimeSpan.FromSeconds(10);
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static IEnumerable<Command> Create(Connection connection) => [Run(connection), Wait(connection)];

    private static Command Run(Connection connection)
    {
        var workflow = new Argument<string>("WORKFLOW") { Description = "Name of the workflow" };
        var input = new Option<string[]>("--input") { Description = "An input, of the type that the workflow declares; may be given several times", HelpName = "NAME=VALUE" };
        var inputFile = new Option<FileInfo?>("--input-file") { Description = "JSON file with all inputs", HelpName = "FILE" };
        var id = new Option<string?>("--id") { Description = "Instance id", HelpName = "ID" };
        var tag = new Option<string[]>("--tag") { Description = "A tag as NAME=VALUE; may be given several times", HelpName = "NAME=VALUE" };
        var priority = new Option<int?>("--priority") { Description = "Added to the priority of each step, -1,000 to 1,000", HelpName = "N" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Checks the request and starts nothing" };
        var watch = new Option<bool>("--watch") { Description = "Follows the run until it has ended" };
        var logs = new Option<bool>("--logs") { Description = "With --watch: prints the lines of the steps too" };
        var cancel = new Option<bool>("--cancel-on-interrupt") { Description = "With --watch: Ctrl+C cancels the run too" };
        var (timeout, junit) = (Timeout(), JUnit());
        var command = new Command("run", "Starts a run") { workflow, input, inputFile, id, tag, priority, dryRun, watch, logs, timeout, junit, cancel };
        command.SetAction(connection, async (call, ct) =>
        {
            var inputs = call.Line.GetValue(inputFile) is { } file ? JsonNode.Parse((await JsonArgument.ReadAsync("--input-file", "@" + file.FullName, ct)).Text) : new JsonObject();
            if (inputs is not JsonObject members) throw new CliException(ExitCodes.Usage, "--input-file: expected a JSON object");
            await InputArguments.AddAsync(members, [.. Pairs("--input", call.Line.GetValue(input))], call.Line.GetValue(workflow)!, call.Api, ct);
            var tags = new JsonObject(Pairs("--tag", call.Line.GetValue(tag)).Select(pair => KeyValuePair.Create(pair.Name, (JsonNode?)JsonValue.Create(pair.Value))));
            var start = new NewRun
            {
                Instance = call.Line.GetValue(id),
                Inputs = new(members.ToJsonString(Plain)),
                Tags = tags.Count > 0 ? new RawJson(tags.ToJsonString(Plain)) : null,
                Priority = call.Line.GetValue(priority),
                DryRun = call.Line.GetValue(dryRun),
            };
            var started = await call.Api.StartAsync(call.Line.GetValue(workflow)!, start, Guid.NewGuid().ToString("N"), ct);
            if (started.Run is not { } number || !call.Line.GetValue(watch))
            {
                call.Printer.One(started, OperatorJson.Default.StartedRun, NameOf, s => call.Printer.Line(s.DryRun ? "The run could start." : NameOf(s)));
                return ExitCodes.Succeeded;
            }

            var shows = call.Line.GetValue(logs) ? RunWatch.Shows.StepsAndLogs : RunWatch.Shows.Steps;
            var run = new RunAddress(started.Workflow, started.Instance!, number);
            try
            {
                return await new RunWatch(call, run, shows).WaitAsync(call.Line.GetValue(timeout), call.Line.GetValue(junit), ct);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested && call.Line.GetValue(cancel))
            {
                using var limit = new CancellationTokenSource(CancelTimeout);
                await call.Api.CancelAsync(run.Workflow, run.Instance, new() { IfRun = number, Reason = "interrupted at the command line" }, limit.Token);
                throw;
            }
        });
        return command;
    }

    private static Command Wait(Connection connection)
    {
        var run = CliCommand.Run();
        var (timeout, junit) = (Timeout(), JUnit());
        var command = new Command("wait", "Waits until a run has ended") { run, timeout, junit };
        command.SetAction(connection, async (call, ct) =>
            await new RunWatch(call, await call.RunAsync(run, ct), RunWatch.Shows.End).WaitAsync(call.Line.GetValue(timeout), call.Line.GetValue(junit), ct));
        return command;
    }

    private static Option<int?> Timeout() => new("--timeout") { Description = "Gives up after that many seconds, with exit code 5; the run goes on", HelpName = "SECS" };

    private static Option<FileInfo?> JUnit() => new("--junit") { Description = "Writes the ended run as a JUnit file", HelpName = "FILE" };

    private static string NameOf(StartedRun started) => started.Instance is { } instance ? RunName.Of(new RunAddress(started.Workflow, instance, started.Run)) : started.Workflow;

    public static IEnumerable<(string Name, string Value)> Pairs(string option, string[]? texts)
    {
        foreach (var text in texts ?? [])
        {
            var equals = text.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0) throw new CliException(ExitCodes.Usage, $"{option}: expected NAME=VALUE, got '{text}'");
            yield return (text[..equals], text[(equals + 1)..]);
        }
    }
}
