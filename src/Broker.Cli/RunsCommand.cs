using System.CommandLine;
using System.Globalization;
using Broker.Operators;
using Broker.Operators.Where;

namespace Broker.Cli;

/// <summary><c>broker runs</c>: lists, shows and steers runs.</summary>
internal static class RunsCommand
{
    // Options that are short for one condition.
    private static readonly string[] Shorts = ["workflow", "status", "since", "instance", "step", "worker"];

    private static readonly Column<RunSummary>[] Columns =
    [
        new("RUN", RunName.Of),
        new("STATUS", run => run.Status),
        new("STEPS", run => run.Steps.Done is { } done ? string.Create(CultureInfo.InvariantCulture, $"{done}/{run.Steps.Total}") : run.Steps.Total.ToString(CultureInfo.InvariantCulture)),
        new("CREATED", run => Cells.Time(run.CreatedAt)),
        new("DURATION", run => Cells.Span(run.DurationMs)),
        new("NOW", run => run.Current is [var step, ..] ? Cells.Short($"{step.Step} ({step.State})", 40) : "-"),
        new("ERROR", run => Cells.Error(run.Error)),
        new("VERSION", run => run.Version, IsWide: true),
        new("WORKER", run => run.Current is [var step, ..] ? step.Worker : null, IsWide: true),
    ];

    public static Command Create(Connection connection)
    {
        var runs = new Command("runs", "Runs of every workflow") { ListCommand(connection), ShowCommand(connection), StepsCommand(connection), TreeCommand.Create(connection), ExportCommand.Create(connection) };
        foreach (var command in SteerCommands.Create(connection)) runs.Subcommands.Add(command);
        return runs;
    }

    private static Command ListCommand(Connection connection)
    {
        var where = CliCommand.Where();
        var limit = CliCommand.Limit();
        var shorts = Shorts.Select(name => new Option<string?>($"--{name}") { Description = $"Short for {name}=… in --where", HelpName = "VALUE" }).ToArray();
        var oldest = new Option<bool>("--oldest-first") { Description = "Oldest runs first" };
        var command = new Command("list", "Lists runs, newest first") { where, limit, oldest };
        foreach (var option in shorts) command.Options.Add(option);
        command.SetAction(connection, async (call, ct) =>
        {
            var chosen = WhereOf(call.Line.GetValue(where));
            foreach (var option in shorts)
            {
                if (call.Line.GetValue(option) is { } value) chosen = chosen.And(WhereOf($"{option.Name[2..]}={value}"));
            }

            var page = await call.Api.ListRunsAsync(new(chosen) { Limit = call.Line.GetValue(limit), OldestFirst = call.Line.GetValue(oldest) }, ct);
            call.Printer.Items(page.Items, OperatorJson.Default.RunSummary, RunName.Of, Columns);
            if (page.Next is not null && call.Printer.IsForPeople) await call.Talk.WriteLineAsync($"There are more. Narrow the list with --where, or raise --limit (at most {Limits.LargestPage}).");
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static Command ShowCommand(Connection connection)
    {
        var run = CliCommand.Run();
        var command = new Command("show", "Shows a run with its steps") { run };
        command.SetAction(connection, async (call, ct) =>
        {
            var address = await call.RunAsync(run, ct);
            var detail = await call.Api.GetRunAsync(address, ct);
            if (!call.Printer.IsForPeople)
            {
                call.Printer.One(detail, OperatorJson.Default.RunDetail, RunName.Of, _ => { });
                return ExitCodes.Succeeded;
            }

            Describe(detail, call.Printer);
            await PrintStepsAsync(call, address, ct);
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static void Describe(RunDetail run, Printer printer)
    {
        printer.Line($"{RunName.Of(run)}  {run.Status}  version {run.Version}");
        printer.Line($"created {Cells.Time(run.CreatedAt)}, started {Cells.Time(run.StartedAt)}, ended {Cells.Time(run.EndedAt)}, took {Cells.Span(run.DurationMs)}");
        printer.Line($"inputs {Cells.Short(run.Inputs.Text, 200)}");
        if (run.Result is { } result) printer.Line($"result {Cells.Short(result.Text, 200)}");
        if (run.Error is { } error) printer.Line($"error  {(error.Step is null ? "" : $"{error.Step}: ")}{error.Name}: {error.Message}");
        printer.Line("");
    }

    private static Command StepsCommand(Connection connection)
    {
        var run = CliCommand.Run();
        var command = new Command("steps", "Lists the steps of a run") { run };
        command.SetAction(connection, async (call, ct) =>
        {
            await PrintStepsAsync(call, await call.RunAsync(run, ct), ct);
            return ExitCodes.Succeeded;
        });
        return command;
    }

    /// <summary>Every step of a run, page by page.</summary>
    public static async Task<IReadOnlyList<StepSummary>> AllStepsAsync(IOperatorApi api, RunAddress run, CancellationToken ct)
    {
        var steps = new List<StepSummary>();
        string? cursor = null;
        do
        {
            var page = await api.ListStepsAsync(run, new() { Limit = Limits.LargestPage, Cursor = cursor }, ct);
            steps.AddRange(page.Items);
            cursor = page.Next;
        }
        while (cursor is not null);
        return steps;
    }

    private static async Task PrintStepsAsync(CliCall call, RunAddress run, CancellationToken ct)
    {
        call.Printer.Items(
            await AllStepsAsync(call.Api, run, ct),
            OperatorJson.Default.StepSummary,
            step => step.Name,
            new("STEP", step => step.Name),
            new("STATUS", step => step.Paused ? $"{step.Status} (paused)" : step.Status),
            new("ATTEMPT", step => (step.Attempt + 1).ToString(CultureInfo.InvariantCulture)),
            new("WORKER", step => step.Worker),
            new("BEGUN", step => Cells.Time(step.BegunAt)),
            new("TOOK", step => Cells.Span(step is { BegunAt: { } begun, EndedAt: { } ended } ? (long)(ended - begun).TotalMilliseconds : null)),
            new("ERROR", step => step.Error is { } error ? Cells.Short(error.Message) : "-"),
            new("KIND", step => step.Kind, IsWide: true),
            new("DUE", step => Cells.Time(step.DueAt), IsWide: true));
    }

    /// <summary>Parses conditions; the message points at the place.</summary>
    public static WhereExpression WhereOf(string? text) =>
        WhereExpression.TryParse(text, out var where, out var error) ? where : throw new CliException(ExitCodes.Usage, $"--where, {error}");
}
