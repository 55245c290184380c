namespace Broker.Operators;

/// <summary>A retry of the newest run of an instance: a further run that keeps the steps which finished.</summary>
public sealed record RunRetry
{
    /// <summary>Steps to run again beside those that failed or were cancelled, each with all that follow it.</summary>
    public IReadOnlyList<string>? Steps { get; init; }

    /// <summary>Why: for the audit trail, at most 500 characters.</summary>
    public string? Reason { get; init; }

    /// <summary>Only if the newest run has this number: else 409 <c>other_run</c>.</summary>
    public int? IfRun { get; init; }

    /// <summary>Says what is kept and what runs again, and starts nothing.</summary>
    public bool? DryRun { get; init; }
}

/// <summary>A fork of a run: a new instance that keeps the steps which finished before a step.</summary>
public sealed record RunFork
{
    /// <summary>Step to run again with all that follow it, beside those that failed, were cancelled or have not ended; null: those alone.</summary>
    public string? From { get; init; }

    /// <summary>Id of the new instance; made by the broker when left out.</summary>
    public string? Instance { get; init; }

    /// <summary>Inputs in place of those of the run, checked as the definition asks.</summary>
    public RawJson? Inputs { get; init; }

    /// <summary>copy (the default): events that no step has taken go along. drop: they do not.</summary>
    [Words("copy", "drop")]
    public string? Events { get; init; }

    /// <summary>Why: for the audit trail, at most 500 characters.</summary>
    public string? Reason { get; init; }

    /// <summary>Says what is kept and what runs again, and starts nothing.</summary>
    public bool? DryRun { get; init; }
}

/// <summary>Outcome of a retry or a fork.</summary>
/// <param name="Workflow">Workflow.</param>
/// <param name="Instance">Instance of the new run.</param>
/// <param name="Run">Number of the new run; absent in a dry run.</param>
/// <param name="Kept">Steps whose results the new run has from the earlier one.</param>
/// <param name="RunsAgain">Steps that had begun or were decided, and are so again.</param>
/// <param name="DryRun">Nothing was started.</param>
public sealed record RunRerun(string Workflow, string Instance, int? Run, IReadOnlyList<string> Kept, IReadOnlyList<string> RunsAgain, bool DryRun);
