using Broker.Core.Definitions;

namespace Broker.Settings;

/// <summary>How much one caller may ask for. Zero means no limit where it says so.</summary>
internal sealed record LimitSettings
{
    /// <summary>Nesting of JSON bodies. The default is the most: stored documents are read again within it.</summary>
    public int JsonDepth { get; init; } = 64;

    /// <summary>Longest request line. Ids of up to 200 characters come percent-encoded, several to a path.</summary>
    public int RequestLineBytes { get; init; } = 16 * 1024;

    /// <summary>Header fields of a request together.</summary>
    public int HeaderBytes { get; init; } = 32 * 1024;

    public int HeaderCount { get; init; } = 100;

    /// <summary>A request's header must have come by then.</summary>
    public TimeSpan HeaderTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>A body that comes slower than that for five seconds is given up; zero: never.</summary>
    public int BodyBytesPerSecond { get; init; } = 240;

    /// <summary>
    /// Bytes that the bodies of all unanswered requests hold together, 64 KiB of each not counted; further bodies are answered 503. One body of
    /// <see cref="BrokerSettings.MaxBodyBytes"/> always fits. Zero: any number.
    /// </summary>
    public int BodyBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Connections at a time; further ones are closed. Zero: any number.</summary>
    public int Connections { get; init; }

    /// <summary>
    /// Streams that one key may have open, or all callers without a key together; zero: any number. The default serves 200 consoles with five
    /// streams each; a stream whose client does not read holds 200 kB.
    /// </summary>
    public int Streams { get; init; } = 1000;

    /// <summary>Requests a second of one key, or address; zero: any number. Probes are not counted.</summary>
    public int RequestsPerSecond { get; init; }

    /// <summary>Requests that may come at once after a pause; zero: twice the rate.</summary>
    public int RequestBurst { get; init; }

    /// <summary>Steps claimed, reported or renewed in one request.</summary>
    public int Batch { get; init; } = 1000;

    /// <summary>Bytes of log lines of one job in one run, then one line that says that the log was cut; zero: any number.</summary>
    public int LogBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Steps of one definition.</summary>
    public int Steps { get; init; } = WorkflowDefinition.MaxSteps;

    /// <summary>Versions of one workflow that workers and dispatches may make; zero: any number.</summary>
    public int Versions { get; init; } = 1000;

    /// <summary>Runs of one workflow with a step that no worker has taken; zero: any number.</summary>
    public int Backlog { get; init; }
}

/// <summary>Where the keys for stored credentials are.</summary>
internal sealed record DataProtectionSettings
{
    /// <summary>Shorter secrets are guessed.</summary>
    public const int ShortestSecret = 16;

    /// <summary>Folder of the key ring; null: beside the SQLite file, or in the PostgreSQL database.</summary>
    public string? KeyRing { get; init; }

    /// <summary>Encrypts the key ring itself; null leaves it in clear in its folder or table.</summary>
    public string? Secret { get; init; }

    /// <summary>The secret before: keys that it encrypted can still be read.</summary>
    public string? PreviousSecret { get; init; }
}
