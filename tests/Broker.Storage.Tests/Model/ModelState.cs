using System.Globalization;
using System.Text;
using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Storage.Tests.Model;

/// <summary>A step of a run, as far as clients can see it.</summary>
internal struct ModelStepState
{
    public StepStatus Status;
    public int Attempt;
    public int Losses;

    /// <summary>The current lease; 0: none.</summary>
    public long Fence;
    public string? Worker;

    /// <summary>The lease has run out and was not collected yet.</summary>
    public bool Expired;

    /// <summary>The lease was granted ahead and no hand-over is recorded.</summary>
    public bool Ahead;

    /// <summary>Ready: its retry is not due. Waiting: its deadline has not come.</summary>
    public bool Late;

    /// <summary>Leased: the attempt has reached its limit. Ready: no worker took it in time.</summary>
    public bool Over;

    /// <summary>Waits are served in this order.</summary>
    public int Born;
    public string? Result;
}

/// <summary>An event that was sent to a run.</summary>
internal readonly record struct ModelInboxEvent(int Number, string Type, int? Target, int? TakenBy);

/// <summary>One run.</summary>
internal sealed class ModelRun(ModelGraph graph, long id, int number)
{
    public ModelGraph Graph => graph;

    public long Id => id;

    public int Number => number;

    public RunPhase Phase { get; set; }

    /// <summary>The run has reached its limit.</summary>
    public bool Over { get; set; }

    /// <summary>A step has failed.</summary>
    public bool HasFailed { get; set; }

    /// <summary>A step was granted, or a wait begun, since the start or the last resume.</summary>
    public bool HasBegun { get; set; }

    /// <summary>Events on its stream that workers published.</summary>
    public int Published { get; set; }

    /// <summary>Commands so far: gives waits their order.</summary>
    public int Commands { get; set; }

    public string? Result { get; set; }

    public ModelStepState[] Steps { get; private init; } = new ModelStepState[graph.Steps.Length];

    public List<ModelInboxEvent> Inbox { get; private init; } = [];

    public bool IsTerminal => Phase is RunPhase.Succeeded or RunPhase.Failed or RunPhase.Cancelled;

    public bool HandsOut => Phase is RunPhase.Active;

    public IEnumerable<int> In(StepStatus status) => Enumerable.Range(0, Steps.Length).Where(i => Steps[i].Status == status);

    public ModelRun Copy() => new(graph, id, number)
    {
        Phase = Phase,
        Over = Over,
        HasFailed = HasFailed,
        HasBegun = HasBegun,
        Published = Published,
        Commands = Commands,
        Result = Result,
        Steps = [.. Steps],
        Inbox = [.. Inbox],
    };

    /// <summary>Which status the run shows: the table in Core/README.md, said again.</summary>
    public RunStatus Status => Phase switch
    {
        RunPhase.Pausing => RunStatus.Pausing,
        RunPhase.Paused => RunStatus.Paused,
        RunPhase.Succeeded => RunStatus.Succeeded,
        RunPhase.Failed => RunStatus.Failed,
        RunPhase.Cancelled => RunStatus.Cancelled,
        RunPhase.Active when In(StepStatus.Leased).Any() => RunStatus.Running,
        RunPhase.Active when In(StepStatus.Ready).Any(i => !Steps[i].Late) => HasBegun ? RunStatus.Running : RunStatus.Queued,
        RunPhase.Active => RunStatus.Waiting,
    };

    /// <summary>The run as its readers see it, but for its stream and its inbox. Results of steps and the mark of a lease granted ahead are no part of it.</summary>
    public string View() => View(Status);

    /// <summary>All that is known of the run.</summary>
    public string Whole() => Whole(Status);

    public string View(RunStatus status) => Text(status, isWhole: false);

    public string Whole(RunStatus status) =>
        $"{Text(status, isWhole: true)} [mail {string.Join(' ', Inbox.Select(m => $"{m.Number}>{m.TakenBy}"))}; published {Published}]";

    private string Text(RunStatus status, bool isWhole)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"run {number} {status} {Result}{(Over && status is not (RunStatus.Succeeded or RunStatus.Failed or RunStatus.Cancelled) ? " over" : "")}");
        for (var i = 0; i < Steps.Length; i++)
        {
            if (Steps[i].Status is StepStatus.Pending) continue;
            text.Append("; ").Append(Show(graph.Steps[i], Steps[i]));
            if (!isWhole) continue;
            if (Steps[i].Ahead) text.Append(" ahead");
            if (Steps[i].Result is { } result) text.Append(" = ").Append(result);
        }

        return text.ToString();
    }

    private static string Show(ModelStep step, ModelStepState state)
    {
        var counts = step.IsTask ? $" #{state.Attempt}/{state.Losses}" : "";
        var lease = state.Fence == 0 ? "" : $" lease {state.Fence % 10_000:d4}{(state.Expired ? " expired" : "")}";
        var late = state.Status is StepStatus.Ready or StepStatus.Waiting && state.Late ? " later" : "";
        var over = state.Status is StepStatus.Ready or StepStatus.Leased && state.Over ? " over" : "";
        return $"{step.Name} {state.Status}{counts}{lease}{late}{over}";
    }
}

/// <summary>All instances of a schedule with all their runs. Instances that do not exist have no runs.</summary>
internal sealed class ModelState
{
    public ModelState(IEnumerable<ModelGraph> graphs) => (Graphs, Runs) = ([.. graphs], [.. graphs.Select(_ => new List<ModelRun>())]);

    private ModelState(ModelGraph[] graphs, List<ModelRun>[] runs) => (Graphs, Runs) = (graphs, runs);

    public ModelGraph[] Graphs { get; }

    /// <summary>By instance; the last one is the current one.</summary>
    public List<ModelRun>[] Runs { get; }

    public IEnumerable<ModelRun> AllRuns => Runs.SelectMany(r => r);

    public ModelRun? Current(int instance) => Runs[instance].LastOrDefault();

    public ModelRun? Find(long runId) => AllRuns.FirstOrDefault(r => r.Id == runId);

    public ModelState Copy() => new(Graphs, [.. Runs.Select(runs => runs.Select(r => r.Copy()).ToList())]);

    /// <summary>Content of the database when all clients have finished; equal texts are equal states.</summary>
    public string Whole() => string.Join("\n", Runs.Select((runs, i) => $"{i}: {string.Join(" | ", runs.Select(r => r.Whole()))}"));

    /// <summary>For the search: like <see cref="Whole"/>, with facts that only show later.</summary>
    public string Key() => Whole() + string.Concat(AllRuns.Select(r => $"{r.Id}{r.HasBegun}{r.HasFailed}{r.Phase}{string.Join(',', r.Steps.Select(s => $"{s.Born}{s.Worker}{s.Fence}"))}"));
}
