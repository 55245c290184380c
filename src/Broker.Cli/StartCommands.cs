using System.CommandLine;
using System.Diagnostics;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Broker.Operators;

namespace Broker.Cli;

/// <summary><c>broker run</c> starts a run, <c>broker wait</c> waits for one. The exit code is that of the outcome.</summary>
internal static class StartCommands
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);
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
        var timeout = Timeout();
        var command = new Command("run", "Starts a run") { workflow, input, inputFile, id, tag, priority, dryRun, watch, timeout };
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

            return await WatchAsync(call, new(started.Workflow, started.Instance!, number), call.Line.GetValue(timeout), showsSteps: true, ct);
        });
        return command;
    }

    private static Command Wait(Connection connection)
    {
        var run = CliCommand.Run();
        var timeout = Timeout();
        var command = new Command("wait", "Waits until a run has ended") { run, timeout };
        command.SetAction(connection, async (call, ct) => await WatchAsync(call, await call.RunAsync(run, ct), call.Line.GetValue(timeout), showsSteps: false, ct));
        return command;
    }

    private static Option<int?> Timeout() => new("--timeout") { Description = "Gives up after that many seconds, with exit code 5; the run goes on", HelpName = "SECS" };

    // The run's state decides, not what was seen of it: a run that has ended before gives the same exit code.
    private static async Task<int> WatchAsync(CliCall call, RunAddress run, int? timeoutSecs, bool showsSteps, CancellationToken ct)
    {
        var began = Stopwatch.GetTimestamp();
        var pause = FirstPause;
        var shown = new Dictionary<string, string>(StringComparer.Ordinal);
        if (showsSteps && call.Printer.IsForPeople) call.Printer.Line(RunName.Of(run));
        while (true)
        {
            try
            {
                var detail = await call.Api.GetRunAsync(run, ct);
                if (showsSteps && call.Printer.IsForPeople) await ShowStepsAsync(call, run, shown, ct);
                if (ExitCodes.OfRun(detail.Status) is var code and not ExitCodes.StillRunning)
                {
                    call.Printer.One(detail, OperatorJson.Default.RunDetail, RunName.Of, d => call.Printer.Line($"{RunName.Of(d)}  {d.Status}{(d.Error is { } error ? $"  {Cells.Error(error)}" : "")}"));
                    return code;
                }
            }
            catch (HttpRequestException fault)
            {
                // A broker that restarts is back soon. The time limit, or an interrupt, ends the attempts.
                await call.Talk.WriteLineAsync($"broker: no broker answers: {fault.Message}; trying again");
            }

            if (timeoutSecs is { } most && Stopwatch.GetElapsedTime(began) >= TimeSpan.FromSeconds(most)) return ExitCodes.StillRunning;
            await Task.Delay(pause, TimeProvider.System, ct);
            pause = pause * 1.5 < LongestPause ? pause * 1.5 : LongestPause;
        }
    }

    private static async Task ShowStepsAsync(CliCall call, RunAddress run, Dictionary<string, string> shown, CancellationToken ct)
    {
        string? cursor = null;
        do
        {
            var page = await call.Api.ListStepsAsync(run, new() { Limit = Limits.LargestPage, Cursor = cursor }, ct);
            foreach (var step in page.Items.Where(step => step.QueuedAt is not null || step.EndedAt is not null))
            {
                var state = step.Attempt > 0 ? $"{step.Status}, attempt {step.Attempt + 1}" : step.Status;
                if (shown.GetValueOrDefault(step.Name) == state) continue;
                shown[step.Name] = state;
                call.Printer.Line($"  {step.Name}: {state}{(step.Error is { } error ? $": {Cells.Short(error.Message)}" : "")}");
            }

            cursor = page.Next;
        }
        while (cursor is not null);
    }

    private static string NameOf(StartedRun started) => started.Instance is { } instance ? RunName.Of(new RunAddress(started.Workflow, instance, started.Run)) : started.Workflow;

    private static IEnumerable<(string Name, string Value)> Pairs(string option, string[]? texts)
    {
        foreach (var text in texts ?? [])
        {
            var equals = text.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0) throw new CliException(ExitCodes.Usage, $"{option}: expected NAME=VALUE, got '{text}'");
            yield return (text[..equals], text[(equals + 1)..]);
        }
    }
}
