namespace Broker.Core.Steps;

/// <summary>Action of an operator on one step.</summary>
public enum HandAction
{
    /// <summary>The step has succeeded, with a value.</summary>
    Complete,

    /// <summary>The step has failed for good.</summary>
    Fail,

    /// <summary>The step is skipped, as if its worker had skipped it.</summary>
    Skip,

    /// <summary>The rest of the step's delay is dropped: it is claimable at once, or at the start time of its run.</summary>
    RetryNow,

    /// <summary>The lease is taken from its worker: the step is ready at its old place, charged nothing.</summary>
    Release,
}

/// <summary>An operator's order about one step.</summary>
/// <param name="Action">Action.</param>
/// <param name="ResultJson">Complete: raw JSON of the result, or null for none.</param>
/// <param name="Error">Fail: the error.</param>
public sealed record HandOrder(HandAction Action, string? ResultJson = null, StepError? Error = null);

/// <summary>Verdict on an operator's order about one step.</summary>
public enum HandVerdict
{
    Done,
    UnknownRun,
    UnknownStep,

    /// <summary>The run has ended.</summary>
    RunTerminal,

    /// <summary>The step is neither ready nor leased nor waiting.</summary>
    NotActive,

    /// <summary>Retry now: the step is not delayed. Release: no worker holds it.</summary>
    NoChange,
}
