using System.CommandLine;
using System.Globalization;
using Broker.Operators;

namespace Broker.Cli;

/// <summary>
/// <c>broker runs tree</c>: retries and restarts are further runs of one instance, forks are runs of others. A run that is gone meanwhile is left out.
/// </summary>
internal static class TreeCommand
{
    // Forks of forks: a longer chain is shown from its own run on.
    private const int Deepest = 10;

    public static Command Create(Connection connection)
    {
        var run = CliCommand.Run();
        var command = new Command("tree", "Shows the runs of an instance, the first one on top, with the steps that failed and the forks") { run };
        command.SetAction(connection, async (call, ct) =>
        {
            var address = await call.RunAsync(run, ct);
            var tree = new List<Branch>();
            await AddAsync(call.Api, address, tree, [], ct);
            if (!call.Printer.IsForPeople)
            {
                call.Printer.Items(tree.ConvertAll(branch => branch.Run), OperatorJson.Default.RunDetail, RunName.Of);
                return ExitCodes.Succeeded;
            }

            if (tree[0].Run.Lineage.From is { } from) call.Printer.Line($"{RunName.Of(from)}, forked into");
            call.Printer.Line($"{address.Workflow}/{address.Instance}");
            foreach (var branch in tree) Print(branch, call.Printer);
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static async Task AddAsync(IOperatorApi api, RunAddress instance, List<Branch> tree, bool[] above, CancellationToken ct)
    {
        var numbers = (await api.GetRunAsync(instance with { Run = null }, ct)).Lineage.Runs.Order().ToList();
        foreach (var number in numbers)
        {
            var run = await api.GetRunAsync(instance with { Run = number }, ct);
            bool[] places = [.. above, number != numbers[^1]];
            tree.Add(new(run, places, IsFork: above.Length > 0));
            foreach (var fork in (run.Lineage.Forks ?? []).Reverse())
            {
                if (above.Length < Deepest) await AddAsync(api, fork, tree, places, ct);
            }
        }
    }

    private static void Print(Branch branch, Printer printer)
    {
        var run = branch.Run;
        var left = string.Concat(branch.Places.Take(branch.Places.Count - 1).Select(goesOn => goesOn ? "│  " : "   "));
        var name = branch.IsFork ? $"fork {RunName.Of(run)}" : string.Create(CultureInfo.InvariantCulture, $"run {run.Run}");
        printer.Line(string.Create(
            CultureInfo.InvariantCulture, $"{left}{(branch.Places[^1] ? "├─" : "└─")} {name}  {run.Status}  {Cells.Time(run.CreatedAt)}  {Cells.Span(run.DurationMs)}  {run.Steps.Done}/{run.Steps.Total} steps"));
        if (run.Error is { } error) printer.Line($"{left}{(branch.Places[^1] ? "│ " : "  ")}  {Cells.Error(error)}");
    }

    /// <param name="Run">The run.</param>
    /// <param name="Places">For each level whether another run follows on it.</param>
    /// <param name="IsFork">It is a run of another instance.</param>
    private sealed record Branch(RunDetail Run, IReadOnlyList<bool> Places, bool IsFork);
}
