namespace Broker.Storage.Dispatch;

/// <summary>Parts of a run that must be loaded before a command is decided.</summary>
[Flags]
internal enum LoadRequirements
{
    Nothing = 0,

    /// <summary>All active steps, and those that hold a lease, locked.</summary>
    ActiveSteps = 1,

    /// <summary>Undelivered events.</summary>
    Inbox = 2,

    /// <summary>The named step locked: heartbeats renew its lease without the run's lock.</summary>
    Lease = 4,

    /// <summary>Every reached step.</summary>
    AllSteps = 8,

    /// <summary>Data that a further run takes over from it.</summary>
    Heritage = 16,
}
