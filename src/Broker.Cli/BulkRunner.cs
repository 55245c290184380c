using System.CommandLine;
using System.Globalization;
using Broker.Operators;
using Broker.Sdk;

namespace Broker.Cli;

/// <summary>Options of an action on many runs, and its course: first a count, then the word for it, then progress to the end.</summary>
internal sealed class BulkRunner
{
    private readonly Option<bool> dryRun = new("--dry-run") { Description = "With --where: says which runs it would act on, and changes nothing" };
    private readonly Option<bool> yes = new("--yes", "-y") { Description = "With --where: acts without asking" };
    private readonly Option<int?> rate = new("--rate") { Description = "With --where: most runs in a second, 1 to 10,000", HelpName = "N" };

    public Option<string?> Where { get; } = CliCommand.Where();

    /// <summary>Gives the options to a command; one that has a dry run of its own keeps it.</summary>
    public void AddTo(Command command, Option<bool>? ownDryRun = null)
    {
        command.Options.Add(Where);
        if (ownDryRun is null) command.Options.Add(dryRun);
        command.Options.Add(yes);
        command.Options.Add(rate);
        OwnDryRun = ownDryRun;
    }

    private Option<bool>? OwnDryRun { get; set; }

    public bool IsConfirmed(CliCall call) => call.Line.GetValue(yes);

    /// <summary>Whether the command line chooses runs by <c>--where</c>, and not by their names.</summary>
    public bool IsMeant(CliCall call, Argument<string[]> runs)
    {
        var (names, where) = (call.Line.GetValue(runs)!, call.Line.GetValue(Where));
        if (names.Length > 0 == where is not null) throw new CliException(ExitCodes.Usage, where is null ? $"expected a run ({RunName.Help}), or --where" : "--where: expected without names of runs");
        if (where is null && call.Line.GetValue(rate) is not null) throw new CliException(ExitCodes.Usage, "--rate: expected with --where");
        if (where is null && OwnDryRun is null && call.Line.GetValue(dryRun)) throw new CliException(ExitCodes.Usage, "--dry-run: expected with --where");
        return where is not null;
    }

    /// <summary>Tries the action on the runs of <c>--where</c>, and does it where the caller means it.</summary>
    public async Task<int> RunAsync(CliCall call, NewBulk bulk, CancellationToken ct)
    {
        var where = RunsCommand.WhereOf(call.Line.GetValue(Where)).ToString();
        var plan = await call.Api.PlanBulkAsync(bulk with { Where = where, Rate = call.Line.GetValue(rate), DryRun = true }, ct);
        var isTrial = call.Line.GetValue(OwnDryRun ?? dryRun);
        if (isTrial || call.Printer.IsForPeople) Print(call.Printer, plan);
        if (isTrial || plan.Matched.Count == 0) return ExitCodes.Succeeded;
        if (!call.Line.GetValue(yes) && !await MeansItAsync(call, plan)) return ExitCodes.Usage;
        var state = await call.Api.StartBulkAsync(plan.Id, new() { Confirm = plan.Confirm, Count = plan.Matched.Count, Reason = bulk.Reason }, ct);
        return await FollowAsync(call, state, ct);
    }

    /// <summary>Shows the progress until the action has ended.</summary>
    public static async Task<int> FollowAsync(CliCall call, BulkState state, CancellationToken ct)
    {
        try
        {
            state = await new BrokerClient(call.Api).WaitForBulkAsync(state, new Progress(call.Talk), ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            await call.Talk.WriteLineAsync($"broker: the action goes on; broker bulk stop {state.Id} ends it");
            throw;
        }

        Print(call.Printer, state);
        return state.Failed > 0 ? ExitCodes.Conflict : ExitCodes.Succeeded;
    }

    public static void Print(Printer printer, BulkState state) => printer.One(state, OperatorJson.Default.BulkState, s => s.Id.ToString(CultureInfo.InvariantCulture), s =>
    {
        printer.Line(string.Create(CultureInfo.InvariantCulture, $"bulk {s.Id}: {s.Action}, {s.State}: {s.Done} done, {s.Skipped} skipped, {s.Failed} failed, of {s.Total}"));
        if (s.Failed + s.Skipped > 0) printer.Line(string.Create(CultureInfo.InvariantCulture, $"  broker bulk results {s.Id} --outcome failed,skipped lists those that it was not done to"));
    });

    private static void Print(Printer printer, BulkPlan plan) => printer.One(plan, OperatorJson.Default.BulkPlan, p => p.Id.ToString(CultureInfo.InvariantCulture), p =>
    {
        var more = p.Matched.IsCapped || !p.Complete ? " or more" : "";
        printer.Line(string.Create(CultureInfo.InvariantCulture, $"{p.Action}: {p.Matched.Count}{more} runs fit, {p.Qualify} of them take it now."));
        if (p.ByStatus.Count > 0) printer.Line($"  by status: {string.Join(", ", p.ByStatus.Select(Counted))}");
        if (p.ByWorkflow.Count > 0) printer.Line($"  by workflow: {string.Join(", ", p.ByWorkflow.Select(Counted))}");
        foreach (var reason in p.NotQualify) printer.Line(string.Create(CultureInfo.InvariantCulture, $"  not {reason.Count}: {reason.Why}"));
        if (p.Sample.Count > 0) printer.Line($"  such as {string.Join(", ", p.Sample.Take(3).Select(run => RunName.Of(new RunAddress(run.Workflow, run.Instance, run.Run))))}");
    });

    private static string Counted(KeyCount count) => string.Create(CultureInfo.InvariantCulture, $"{count.Key} {count.Count}");

    private static async Task<bool> MeansItAsync(CliCall call, BulkPlan plan)
    {
        if (Console.IsInputRedirected)
        {
            await call.Talk.WriteLineAsync("broker: nothing was done: --yes acts without asking");
            return false;
        }

        await call.Talk.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"{plan.Action} {plan.Matched.Count} runs? [y/N] "));
        return Console.ReadLine()?.Trim().ToLowerInvariant() is "y" or "yes";
    }

    // Lines come in order: the framework's Progress would post them to the thread pool.
    private sealed class Progress(TextWriter talk) : IProgress<BulkState>
    {
        private int shown;

        public void Report(BulkState value)
        {
            var ended = value.Done + value.Failed + value.Skipped;
            if (ended == shown) return;
            shown = ended;
            talk.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {ended} of {value.Total}"));
        }
    }
}
