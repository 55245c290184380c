using System.Text.Json;
using Broker.Core.Conditions;

namespace Broker.Core.Tests.Conditions;

/// <summary>A scope of given values; nothing has failed in it unless it says so.</summary>
internal sealed class AScope : IConditionScope
{
    public bool HasFailed { get; init; }
    public bool IsCancelled { get; init; }
    public Dictionary<string, string> Inputs { get; init; } = [];
    public Dictionary<string, string> Results { get; init; } = [];
    public Dictionary<string, string> Outputs { get; init; } = [];
    public Dictionary<string, string> Variables { get; init; } = [];
    public Dictionary<string, string> Outcomes { get; init; } = [];

    public bool Success() => !HasFailed && !IsCancelled;

    public bool Failure() => HasFailed;

    public bool Cancelled() => IsCancelled;

    public JsonElement? Input(string name) => Inputs.TryGetValue(name, out var json) ? JsonElement.Parse(json) : null;

    public string? Result(string job) => Results.GetValueOrDefault(job);

    public string? Output(string job, string name) => Outputs.GetValueOrDefault($"{job}.{name}");

    public string? Env(string name) => Variables.GetValueOrDefault(name);

    public string? Outcome(string step) => Outcomes.GetValueOrDefault(step);

    public string? StepOutput(string step, string name) => Outputs.GetValueOrDefault($"steps.{step}.{name}");
}
