using System.Diagnostics;
using Broker.Operators;

namespace Broker.Cli;

/// <summary>Follows a run to its end. The state of the run decides the exit code, not what was seen of it: a run that has ended before gives the same one.</summary>
internal sealed class RunWatch(CliCall call, RunAddress run, RunWatch.Shows shows)
{
    private const int LinesOfAFailure = 200;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    private readonly Dictionary<string, string> shown = new(StringComparer.Ordinal);
    private LogQuery lines = new() { Limit = Limits.LargestLogPage };

    public enum Shows
    {
        /// <summary>The outcome alone.</summary>
        End,

        /// <summary>A line for each change of a step.</summary>
        Steps,

        /// <summary>The lines of the steps too.</summary>
        StepsAndLogs,
    }

    private bool ShowsSteps => shows is not Shows.End && call.Printer.IsForPeople;

    public async Task<int> WaitAsync(int? timeoutSecs, FileInfo? junit, CancellationToken ct)
    {
        var began = Stopwatch.GetTimestamp();
        var pause = FirstPause;
        if (ShowsSteps) call.Printer.Line(RunName.Of(run));
        while (true)
        {
            try
            {
                var detail = await call.Api.GetRunAsync(run, ct);
                if (ShowsSteps) await ShowStepsAsync(ct);
                if (ShowsSteps && shows is Shows.StepsAndLogs) await ShowLinesAsync(ct);
                if (ExitCodes.OfRun(detail.Status) is var code and not ExitCodes.StillRunning)
                {
                    await EndAsync(detail, junit, ct);
                    return code;
                }
            }
            catch (HttpRequestException fault)
            {
                // A broker that restarts is back soon. The time limit, or an interrupt, ends the attempts.
                await call.Talk.WriteLineAsync($"broker: no broker answers: {fault.Message}; trying again");
            }
            catch (OperatorException refused) when (refused.Status == 503)
            {
                await call.Talk.WriteLineAsync($"broker: {refused.Message}; trying again");
            }

            if (timeoutSecs is { } most && Stopwatch.GetElapsedTime(began) >= TimeSpan.FromSeconds(most)) return ExitCodes.StillRunning;
            await Task.Delay(pause, TimeProvider.System, ct);
            pause = pause * 1.5 < LongestPause ? pause * 1.5 : LongestPause;
        }
    }

    private async Task EndAsync(RunDetail detail, FileInfo? junit, CancellationToken ct)
    {
        if (junit is not null) JUnitReport.Write(junit.FullName, detail, await RunsCommand.AllStepsAsync(call.Api, run, ct));
        if (ShowsSteps && CiOutput.IsOne && detail.Status is "failed") await AnnotateAsync(ct);
        call.Printer.One(detail, OperatorJson.Default.RunDetail, RunName.Of, d => call.Printer.Line($"{RunName.Of(d)}  {d.Status}{(d.Error is { } error ? $"  {Cells.Error(error)}" : "")}"));
    }

    private async Task ShowStepsAsync(CancellationToken ct)
    {
        foreach (var step in await RunsCommand.AllStepsAsync(call.Api, run, ct))
        {
            if (step.QueuedAt is null && step.EndedAt is null) continue;
            var state = step.Attempt > 0 ? $"{step.Status}, attempt {step.Attempt + 1}" : step.Status;
            if (shown.GetValueOrDefault(step.Name) == state) continue;
            shown[step.Name] = state;
            call.Printer.Line($"  {step.Name}: {state}{(step.Error is { } error ? $": {Cells.Short(error.Message)}" : "")}");
        }
    }

    private async Task ShowLinesAsync(CancellationToken ct)
    {
        while (true)
        {
            var page = await call.Api.ListLogsAsync(run, lines, ct);
            foreach (var line in page.Items) call.Printer.Line($"    {line.Step}  {Cells.TextOf(line)}");
            if ((page.Next ?? (page.Items.Count > 0 ? page.Items[^1].Id : null)) is { } last) lines = lines with { After = last };
            if (page.Next is null) return;
        }
    }

    // The end of the log of each step that failed, in a group, and an error beside the change that caused it.
    private async Task AnnotateAsync(CancellationToken ct)
    {
        foreach (var step in await RunsCommand.AllStepsAsync(call.Api, run, ct))
        {
            if (step.Status is not "failed") continue;
            var page = await call.Api.ListLogsAsync(run, new() { Step = step.Name, FromEnd = true, Limit = LinesOfAFailure }, ct);
            call.Printer.Line(CiOutput.Begin($"{step.Name}: the last {page.Items.Count} lines")!);
            foreach (var line in page.Items) call.Printer.Line(Cells.TextOf(line));
            call.Printer.Line(CiOutput.End!);
            call.Printer.Line(CiOutput.Error(step.Name, step.Error?.Message ?? "failed")!);
        }
    }
}
