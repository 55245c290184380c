using System.Text.Json.Serialization;
using Broker.Operators.Where;

namespace Broker.Operators;

/// <summary>Choice of runs.</summary>
/// <param name="Where">Conditions, all of which a run fits.</param>
public sealed record RunQuery(WhereExpression Where) : PagedQuery
{
    /// <summary>Oldest runs first; else the newest.</summary>
    public bool OldestFirst { get; init; }
}

/// <summary>Bounds of the API.</summary>
public static class Limits
{
    /// <summary>Items of a page where the request names no limit.</summary>
    public const int UsualPage = 50;

    /// <summary>Most items of a page.</summary>
    public const int LargestPage = 200;

    /// <summary>Rows that one list request examines at most.</summary>
    public const int ExaminedRows = 5000;

    /// <summary>Counts go no further than this.</summary>
    public const int LargestCount = 10_000;

    /// <summary>Characters of an error message in a list.</summary>
    public const int ListedMessage = 300;

    /// <summary>Steps with a lease or a wait that a list shows of one run.</summary>
    public const int ListedSteps = 3;

    /// <summary>Most seconds that a request for a run waits for its end.</summary>
    public const int LongestWaitSecs = 60;

    /// <summary>Most lines of one page of a log.</summary>
    public const int LargestLogPage = 1000;

    /// <summary>Most runs that an action on many runs names one by one.</summary>
    public const int NamedRuns = 1000;

    /// <summary>Most runs in a second of an action on many runs.</summary>
    public const int LargestRate = 10_000;
}

/// <summary>Names of a run.</summary>
/// <param name="Workflow">Workflow.</param>
/// <param name="Instance">Instance id.</param>
/// <param name="Run">Number of the run, from 0; null: the instance's newest run.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record RunAddress(string Workflow, string Instance, int? Run = null);
