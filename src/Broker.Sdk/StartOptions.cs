namespace Broker.Sdk;

/// <summary>Meaning of a start whose id an instance has already.</summary>
public enum Start
{
    /// <summary>Returns the newest run of the instance; the inputs are not compared.</summary>
    Attach,

    /// <summary>Fails: <see cref="Operators.OperatorException"/> with the code <c>already_exists</c>.</summary>
    Fail,

    /// <summary>Adds a further run with these inputs to an instance whose newest run has ended; fails as <see cref="Fail"/> does while it goes on.</summary>
    Restart,
}

/// <summary>Options of a start.</summary>
public sealed class StartOptions
{
    /// <summary>Id of the instance, up to 200 characters; null: the broker makes one.</summary>
    public string? Id { get; init; }

    /// <summary>Meaning of an id that is taken.</summary>
    public Start IfExists { get; init; } = Start.Attach;

    /// <summary>Up to 16 tags of up to 200 characters each; <c>tag.NAME=VALUE</c> finds the run.</summary>
    public IDictionary<string, string> Tags { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Added to the priority of each step, -1,000 to 1,000; higher is sooner.</summary>
    public int Priority { get; init; }

    /// <summary>Version of the workflow; null: the latest.</summary>
    public string? Version { get; init; }

    /// <summary>No step is handed out before this time has passed since the start, to the millisecond; null: at once.</summary>
    public TimeSpan? Delay { get; init; }

    /// <summary>Limit of the whole run, to the millisecond, in place of the definition's; null: the definition's.</summary>
    public TimeSpan? TimeLimit { get; init; }
}
