using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Broker.Operators;

namespace Broker.Cli;

/// <summary>Commands on schedules.</summary>
internal static class ScheduleCommands
{
    public static Command Create(Connection connection) => new("schedules", "Starts runs at times")
    {
        List(connection), Show(connection), New(connection), Next(connection), Trigger(connection),
        Held(connection, "pause", "Starts no runs until it is resumed", (api, name, command, ct) => api.PauseScheduleAsync(name, command, ct)),
        Held(connection, "resume", "Starts runs again; instants of the pause are skipped", (api, name, command, ct) => api.ResumeScheduleAsync(name, command, ct)),
        Backfill(connection), History(connection), Delete(connection),
    };

    private static Argument<string> Name() => new("SCHEDULE") { Description = "Name of the schedule" };

    private static Command List(Connection connection)
    {
        var search = new Option<string?>("--search") { Description = "A part of the name or of the workflow's name", HelpName = "TEXT" };
        var paused = new Option<bool>("--paused") { Description = "Only paused ones" };
        var limit = CliCommand.Limit();
        var command = new Command("list", "Lists schedules") { search, paused, limit };
        command.SetAction(connection, async (call, ct) =>
        {
            var query = new ScheduleQuery { Search = call.Line.GetValue(search), Paused = call.Line.GetValue(paused) ? true : null, Limit = call.Line.GetValue(limit) };
            call.Printer.Items(
                (await call.Api.ListSchedulesAsync(query, ct)).Items,
                OperatorJson.Default.Schedule,
                s => s.Name,
                new("SCHEDULE", s => s.Name),
                new("WORKFLOW", s => s.Workflow),
                new("WHEN", WhenOf),
                new("NEXT", s => Cells.Time(s.Next)),
                new("LAST", s => Cells.Time(s.LastAt)),
                new("STARTED", s => s.Started.ToString(CultureInfo.InvariantCulture)),
                new("SKIPPED", s => s.Skipped.ToString(CultureInfo.InvariantCulture)),
                new("STATE", StateOf));
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static Command Show(Connection connection)
    {
        var name = Name();
        var command = new Command("show", "Shows one schedule") { name };
        command.SetAction(connection, async (call, ct) =>
        {
            Print(call.Printer, await call.Api.GetScheduleAsync(call.Line.GetValue(name)!, ct));
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static Command New(Connection connection)
    {
        var name = Name();
        var workflow = new Argument<string>("WORKFLOW") { Description = "Workflow that it starts" };
        var cron = new Option<string[]>("--cron") { Description = "Cron expression of five fields; repeat it for more", HelpName = "CRON" };
        var every = new Option<long?>("--every-ms") { Description = "Fixed interval, 1,000 ms or more", HelpName = "MS" };
        var zone = new Option<string?>("--timezone") { Description = "IANA name, such as Europe/Berlin; UTC by default", HelpName = "ZONE" };
        var overlap = Overlap();
        var inputs = new Option<string?>("--inputs") { Description = "Inputs of each run as a JSON object, or @FILE", HelpName = "JSON" };
        var spec = new Option<string?>("--spec") { Description = "The whole rule as JSON, or @FILE: catch_up, jitter_ms and the rest", HelpName = "JSON" };
        var command = new Command("create", "Makes a schedule, or replaces its rule") { name, workflow, cron, every, zone, overlap, inputs, spec };
        command.SetAction(connection, async (call, ct) =>
        {
            var rule = call.Line.GetValue(spec) is { } text ? await SpecOfAsync(text, ct) : new();
            var crons = call.Line.GetValue(cron) ?? [];
            rule = rule with
            {
                Workflow = call.Line.GetValue(workflow),
                Cron = crons.Length > 0 ? new CronList(crons) : rule.Cron,
                EveryMs = call.Line.GetValue(every) ?? rule.EveryMs,
                Timezone = call.Line.GetValue(zone) ?? rule.Timezone,
                Overlap = call.Line.GetValue(overlap) ?? rule.Overlap,
                Inputs = call.Line.GetValue(inputs) is { } given ? await JsonArgument.ReadAsync("--inputs", given, ct) : rule.Inputs,
            };
            Print(call.Printer, await call.Api.PutScheduleAsync(call.Line.GetValue(name)!, rule, ct));
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static async Task<ScheduleSpec> SpecOfAsync(string text, CancellationToken ct)
    {
        try
        {
            return JsonSerializer.Deserialize((await JsonArgument.ReadAsync("--spec", text, ct)).Text, OperatorJson.Default.ScheduleSpec) ?? new();
        }
        catch (JsonException fault)
        {
            throw new CliException(ExitCodes.Usage, $"--spec: {fault.Message}");
        }
    }

    private static Option<string?> Overlap() => new("--overlap") { Description = "skip, queue_one, queue_all, cancel_running or allow", HelpName = "RULE" };

    private static Command Next(Connection connection)
    {
        var name = Name();
        var count = new Option<int>("--count") { Description = "Number of instants, 1 to 100", DefaultValueFactory = _ => 10, HelpName = "N" };
        var command = new Command("next", "Lists instants to come") { name, count };
        command.SetAction(connection, async (call, ct) =>
        {
            call.Printer.Items(
                (await call.Api.GetNextAsync(call.Line.GetValue(name)!, call.Line.GetValue(count), ct)).Instants,
                OperatorJson.Default.ScheduleInstant,
                i => i.Local,
                new("LOCAL", i => i.Local),
                new("UTC", i => Cells.Time(i.Nominal)),
                new("STARTS", i => Cells.Time(i.StartsAt)));
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static Command Trigger(Connection connection)
    {
        var (name, reason) = (Name(), CliCommand.Reason());
        var command = new Command("trigger", "Starts a run now") { name, reason };
        command.SetAction(connection, async (call, ct) =>
        {
            Print(call.Printer, [await call.Api.TriggerScheduleAsync(call.Line.GetValue(name)!, new() { Reason = call.Line.GetValue(reason) }, ct)]);
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static Command Held(Connection connection, string verb, string description, Func<IOperatorApi, string, HoldCommand, CancellationToken, Task<Schedule>> act)
    {
        var (name, reason) = (Name(), CliCommand.Reason());
        var command = new Command(verb, description) { name, reason };
        command.SetAction(connection, async (call, ct) =>
        {
            Print(call.Printer, await act(call.Api, call.Line.GetValue(name)!, new() { Reason = call.Line.GetValue(reason) }, ct));
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static Command Backfill(Connection connection)
    {
        var (name, overlap, reason) = (Name(), Overlap(), CliCommand.Reason());
        var from = new Option<DateTimeOffset>("--from") { Description = "The first instant, such as 2030-01-28T00:00:00Z", Required = true, HelpName = "INSTANT" };
        var to = new Option<DateTimeOffset>("--to") { Description = "The last instant", Required = true, HelpName = "INSTANT" };
        var dry = new Option<bool>("--dry-run") { Description = "Only says which instants there are" };
        var command = new Command("backfill", "Starts runs for instants of the past") { name, from, to, overlap, dry, reason };
        command.SetAction(connection, async (call, ct) =>
        {
            var backfill = new ScheduleBackfill
            {
                From = call.Line.GetValue(from),
                To = call.Line.GetValue(to),
                Overlap = call.Line.GetValue(overlap),
                DryRun = call.Line.GetValue(dry) ? true : null,
                Reason = call.Line.GetValue(reason),
            };
            var plan = await call.Api.BackfillScheduleAsync(call.Line.GetValue(name)!, backfill, ct);
            call.Printer.One(plan, OperatorJson.Default.BackfillPlan, p => p.Schedule, p =>
            {
                foreach (var instant in p.Instants) call.Printer.Line(Cells.Time(instant));
            });
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static Command History(Connection connection)
    {
        var (name, limit) = (Name(), CliCommand.Limit());
        var status = new Option<string?>("--status") { Description = "waiting, started or skipped", HelpName = "STATUS" };
        var command = new Command("history", "Lists instants and what became of them, newest first") { name, status, limit };
        command.SetAction(connection, async (call, ct) =>
        {
            var query = new FiringQuery { Status = call.Line.GetValue(status), Limit = call.Line.GetValue(limit) };
            Print(call.Printer, (await call.Api.ListFiringsAsync(call.Line.GetValue(name)!, query, ct)).Items);
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static Command Delete(Connection connection)
    {
        var name = Name();
        var command = new Command("delete", "Deletes a schedule with its history; its runs stay") { name };
        command.SetAction(connection, async (call, ct) =>
        {
            Print(call.Printer, await call.Api.DeleteScheduleAsync(call.Line.GetValue(name)!, ct));
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static void Print(Printer printer, Schedule schedule) => printer.One(schedule, OperatorJson.Default.Schedule, s => s.Name, s =>
    {
        printer.Line($"schedule  {s.Name}{(s.Owned ? ", of the definition" : "")}");
        printer.Line($"workflow  {s.Workflow}{(s.Version is { } version ? $", version {version}" : "")}");
        printer.Line($"when      {WhenOf(s)}");
        printer.Line($"overlap   {s.Overlap}");
        printer.Line($"catch-up  {s.CatchUp.Runs}, within {s.CatchUp.WindowMs} ms");
        printer.Line($"next      {Cells.Time(s.Next)}");
        printer.Line($"last      {s.LastInstance ?? "-"}");
        printer.Line($"state     {StateOf(s)}");
    });

    private static void Print(Printer printer, IReadOnlyList<ScheduleFiring> firings) => printer.Items(
        firings,
        OperatorJson.Default.ScheduleFiring,
        f => f.Instance ?? "",
        new("INSTANT", f => Cells.Time(f.Nominal)),
        new("UNTIL", f => Cells.Time(f.Until)),
        new("COUNT", f => f.Count.ToString(CultureInfo.InvariantCulture)),
        new("KIND", f => f.Kind),
        new("STATUS", f => f.Status),
        new("REASON", f => f.Reason),
        new("INSTANCE", f => f.Instance),
        new("AT", f => Cells.Time(f.At)));

    private static string WhenOf(Schedule schedule) => schedule.Cron is { } crons
        ? $"{string.Join(" | ", crons)} {schedule.Timezone}"
        : string.Create(CultureInfo.InvariantCulture, $"every {schedule.EveryMs} ms");

    private static string StateOf(Schedule schedule) => schedule.DisabledBecause is { } why ? $"disabled: {why}" : schedule.Paused is { } pause ? $"paused{(pause.Note is { } note ? $": {note}" : "")}" : "active";
}
