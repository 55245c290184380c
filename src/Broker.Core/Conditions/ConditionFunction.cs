namespace Broker.Core.Conditions;

/// <summary>Functions of the language.</summary>
public enum ConditionFunction
{
    Success,
    Failure,
    Always,
    Cancelled,
    Contains,
    StartsWith,
    EndsWith,
}

/// <summary>Names of the functions, and how many arguments each takes.</summary>
internal static class ConditionFunctions
{
    public static readonly (string Name, ConditionFunction Function, int Arguments)[] All =
    [
        ("success", ConditionFunction.Success, 0),
        ("failure", ConditionFunction.Failure, 0),
        ("always", ConditionFunction.Always, 0),
        ("cancelled", ConditionFunction.Cancelled, 0),
        ("contains", ConditionFunction.Contains, 2),
        ("startsWith", ConditionFunction.StartsWith, 2),
        ("endsWith", ConditionFunction.EndsWith, 2),
    ];

    public static string NameOf(ConditionFunction function) => Array.Find(All, known => known.Function == function).Name;
}
