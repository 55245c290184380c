using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Core.Graphs;

/// <summary>Fate of a step that was never reached.</summary>
public enum Fate
{
    /// <summary>Reached: its own row says.</summary>
    Reached,

    /// <summary>May still start.</summary>
    Open,

    /// <summary>Can never start, because something above it failed or was cancelled.</summary>
    Dead,

    /// <summary>Can never start, because the run ended on other branches.</summary>
    NotTaken,
}

/// <summary>One step for readers: its row if it was reached, else its fate.</summary>
public readonly record struct BoardStep(StepDefinition Step, StepState? State, Fate Fate);

/// <summary>
/// Every step of a run, for readers. Unreached steps have no rows: a read derives from the graph and the rows that a failure above has
/// killed them. A failure therefore costs the same in a run of 10 steps as of 10,000.
/// </summary>
public static class StepBoard
{
    public static BoardStep[] Of(WorkflowDefinition definition, RunStatus status, IEnumerable<StepState> reached)
    {
        var board = new BoardStep[definition.Steps.Length];
        foreach (var step in definition.Steps) board[step.Index] = new(step, null, Fate.Open);

        var dead = new Queue<int>();
        foreach (var state in reached)
        {
            board[state.Index] = new(definition.Steps[state.Index], state, Fate.Reached);
            if (definition.Steps[state.Index].Blocks(state)) dead.Enqueue(state.Index);
        }

        while (dead.TryDequeue(out var index))
        {
            foreach (var below in definition.Steps[index].Dependents)
            {
                if (board[below].Fate is not Fate.Open || !IsDead(definition.Steps[below], board)) continue;
                board[below] = board[below] with { Fate = Fate.Dead };
                dead.Enqueue(below);
            }
        }

        var ended = status is RunStatus.Succeeded or RunStatus.Failed or RunStatus.Cancelled;
        for (var i = 0; ended && i < board.Length; i++)
        {
            if (board[i].Fate is Fate.Open) board[i] = board[i] with { Fate = status is RunStatus.Cancelled ? Fate.Dead : Fate.NotTaken };
        }

        return board;
    }

    // A step stays alive while no plain predecessor is lost and each group has a member that may finish (broker contract 4.5).
    // A step with a condition may start after a failure.
    private static bool IsDead(StepDefinition step, BoardStep[] board)
    {
        if (step.When is not null) return false;
        foreach (var predecessor in step.Plain)
        {
            if (IsLost(board[predecessor])) return true;
        }

        foreach (var group in step.AnyOf)
        {
            var alive = false;
            foreach (var member in group.Members) alive |= !IsLost(board[member]);
            if (!alive) return true;
        }

        return false;
    }

    private static bool IsLost(BoardStep step) => step.Fate is Fate.Dead || (step.State is { } state && step.Step.Blocks(state));
}
