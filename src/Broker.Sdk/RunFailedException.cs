using System.Globalization;
using Broker.Operators;

namespace Broker.Sdk;

/// <summary>A run ended without a result: it failed or was cancelled.</summary>
public sealed class RunFailedException : Exception
{
    internal RunFailedException(RunDetail run)
        : base(MessageOf(run)) => (Workflow, Id, Run, Status, Error) = (run.Workflow, run.Instance, run.Run, run.Status, run.Error);

    /// <summary>Workflow of the run.</summary>
    public string Workflow { get; }

    /// <summary>Instance of the run.</summary>
    public string Id { get; }

    /// <summary>Number of the run.</summary>
    public int Run { get; }

    /// <summary><c>failed</c> or <c>cancelled</c>.</summary>
    public string Status { get; }

    /// <summary>Name and message of the failure that decided the run, and its step where it is known; null for a run that was cancelled.</summary>
    public RunError? Error { get; }

    private static string MessageOf(RunDetail run)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{run.Workflow}/{run.Instance}.{run.Run}");
        return run.Error is not { } error ? $"The run {name} was {run.Status}." : $"The run {name} {run.Status}{(error.Step is { } step ? $" in step {step}" : "")}: {error.Name}: {error.Message}";
    }
}
