using Broker.Storage.Contracts;

namespace Broker.Settings;

/// <summary>Everything that can be configured, with its default. Read and checked once at start.</summary>
internal sealed record BrokerSettings
{
    /// <summary>Database: null means a SQLite file in <c>./broker-data/</c>.</summary>
    public string? DatabaseUrl { get; init; }

    /// <summary>First port to try; the next free one of the following 100 is taken.</summary>
    public int Port { get; init; } = 3000;

    /// <summary>Address to listen on.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>Addresses of <c>Kestrel:Endpoints</c>, which the server listens on in the place of <see cref="Host"/> and <see cref="Port"/>.</summary>
    public IReadOnlyList<string> Endpoints { get; init; } = [];

    /// <summary>An application around the broker listens.</summary>
    public bool IsEmbedded { get; init; }

    /// <summary>Serves HTTP without lease collection, timers and pruning.</summary>
    public bool ApiOnly { get; init; }

    /// <summary>Folder of workflow files.</summary>
    public string WorkflowsDir { get; init; } = "workflows";

    /// <summary>Name of the folder among those of all brokers on the database; null: its path.</summary>
    public string? WorkflowsSource { get; init; }

    /// <summary>Allowed origins. Null: every page may read, and none but the broker's own may write while no key is required. <c>*</c>: every page may do both.</summary>
    public IReadOnlyList<string>? CorsOrigins { get; init; }

    /// <summary>Names of the broker beside localhost and IP addresses; others are refused while no key is required.</summary>
    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    /// <summary>Pause between two collections of expired leases.</summary>
    public TimeSpan ReapInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Pause between two looks at sleeps and deadlines: a timer ends at most that late.</summary>
    public TimeSpan TimerInterval { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>
    /// Transactions that work side by side on PostgreSQL; each has another that waits for its commit. Measured on two cores with the
    /// database beside the broker: two make transactions a third smaller and no step faster.
    /// </summary>
    public int Lanes { get; init; } = 1;

    /// <summary>Lease of a step whose worker asks for none (seconds): broker dialect.</summary>
    public int DefaultLeaseSecs { get; init; } = 60;

    /// <summary>Workers silent for longer are left out of <c>/workers</c>.</summary>
    public TimeSpan WorkerTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Jobs-dialect workers silent for longer show as offline.</summary>
    public TimeSpan WorkerOffline { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A worker of that kind that was silent for longer counts as gone.</summary>
    public TimeSpan SilentAfter(WorkerKind kind) => kind switch
    {
        WorkerKind.Labelled => WorkerOffline,
        WorkerKind.Registered => WorkerTimeout,
    };

    /// <summary>Offline jobs-dialect workers are removed after that long.</summary>
    public TimeSpan WorkerRemoved { get; init; } = TimeSpan.FromHours(2);

    /// <summary>Base path of the instances dialect.</summary>
    public string InstancesBasePath { get; init; } = "/api/workflows";

    /// <summary>False: <c>POST /_runner/tick</c> answers 403.</summary>
    public bool RunnerTickEnabled { get; init; } = true;

    /// <summary>Flat paths of the instances dialect show <c>active</c> for queued, running and waitingForPause.</summary>
    public bool InstancesShowActive { get; init; }

    /// <summary>Largest request body in bytes (413 beyond).</summary>
    public int MaxBodyBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>Applies migrations at start; false: refuses a database that lacks some.</summary>
    public bool MigrateAtStart { get; init; } = true;

    /// <summary>Finished runs are removed after that long; zero keeps them.</summary>
    public TimeSpan Retention { get; init; } = TimeSpan.FromDays(30);

    /// <summary>The same for runs that succeeded; null: as <see cref="Retention"/> says.</summary>
    public TimeSpan? RetentionSucceeded { get; init; }

    /// <summary>The same for runs that failed.</summary>
    public TimeSpan? RetentionFailed { get; init; }

    /// <summary>The same for runs that were cancelled.</summary>
    public TimeSpan? RetentionCancelled { get; init; }

    /// <summary>
    /// Age of unused definitions from workers and dispatches at which they are removed; zero keeps them. A run that refers to one keeps it.
    /// </summary>
    public TimeSpan DefinitionRetention { get; init; } = TimeSpan.FromDays(30);

    /// <summary>Measures, and serves them at <c>/metrics</c>.</summary>
    public bool Metrics { get; init; } = true;

    /// <summary>How long a start can be sent again under its <c>Idempotency-Key</c>.</summary>
    public TimeSpan IdempotencyRetention { get; init; } = TimeSpan.FromDays(1);

    public LimitSettings Limits { get; init; } = new();

    public StorageSettings Storage { get; init; } = new();

    public DataProtectionSettings DataProtection { get; init; } = new();

    public WebhookSettings Webhooks { get; init; } = new();

    /// <summary>Pause between two comment lines on an idle stream.</summary>
    public TimeSpan StreamHeartbeat { get; init; } = TimeSpan.FromSeconds(15);
}
