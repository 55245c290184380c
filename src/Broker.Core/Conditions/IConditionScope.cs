using System.Text.Json;

namespace Broker.Core.Conditions;

/// <summary>Source of everything that an expression can read.</summary>
public interface IConditionScope
{
    /// <summary>Value of <c>success()</c>: everything before this succeeded.</summary>
    bool Success();

    /// <summary>Value of <c>failure()</c>.</summary>
    bool Failure();

    /// <summary>Value of <c>cancelled()</c>.</summary>
    bool Cancelled();

    /// <summary>Value of <c>inputs.NAME</c>; null when the run has no such input.</summary>
    JsonElement? Input(string name);

    /// <summary>Value of <c>needs.JOB.result</c>: success, failure, skipped or cancelled.</summary>
    string? Result(string job);

    /// <summary>Value of <c>needs.JOB.outputs.NAME</c>.</summary>
    string? Output(string job, string name);

    /// <summary>Value of <c>env.NAME</c>; variables are known where steps run.</summary>
    string? Env(string name) => null;

    /// <summary>Value of <c>steps.ID.outcome</c>; known within a job.</summary>
    string? Outcome(string step) => null;

    /// <summary>Value of <c>steps.ID.outputs.NAME</c>; known within a job.</summary>
    string? StepOutput(string step, string name) => null;
}
