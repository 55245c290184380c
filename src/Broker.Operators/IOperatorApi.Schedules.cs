namespace Broker.Operators;

public partial interface IOperatorApi
{
    /// <summary>Sends an event to the workflows that subscribe to its type.</summary>
    Task<EventRouting> PublishEventAsync(TypedEvent sent, CancellationToken ct);

    /// <summary>Gives no worker steps until the maintenance ends; starts are kept.</summary>
    Task<MaintenanceState> BeginMaintenanceAsync(HoldCommand command, CancellationToken ct);

    /// <summary>Gives workers steps again.</summary>
    Task<MaintenanceState> EndMaintenanceAsync(HoldCommand command, CancellationToken ct);

    /// <summary>Schedules in order of names.</summary>
    Task<Listing<Schedule>> ListSchedulesAsync(ScheduleQuery query, CancellationToken ct);

    /// <summary>One schedule.</summary>
    Task<Schedule> GetScheduleAsync(string name, CancellationToken ct);

    /// <summary>Makes a schedule, or replaces its rule.</summary>
    Task<Schedule> PutScheduleAsync(string name, ScheduleSpec spec, CancellationToken ct);

    /// <summary>Deletes a schedule with its history; its runs stay.</summary>
    Task<Schedule> DeleteScheduleAsync(string name, CancellationToken ct);

    /// <summary>Starts no runs until the schedule is resumed.</summary>
    Task<Schedule> PauseScheduleAsync(string name, HoldCommand command, CancellationToken ct);

    /// <summary>Starts runs again; instants of the pause are skipped.</summary>
    Task<Schedule> ResumeScheduleAsync(string name, HoldCommand command, CancellationToken ct);

    /// <summary>Starts a run now.</summary>
    Task<ScheduleFiring> TriggerScheduleAsync(string name, HoldCommand command, CancellationToken ct);

    /// <summary>Starts runs for instants of the past.</summary>
    Task<BackfillPlan> BackfillScheduleAsync(string name, ScheduleBackfill backfill, CancellationToken ct);

    /// <summary>Instants to come, 1 to 100 of them.</summary>
    Task<ScheduleNext> GetNextAsync(string name, int count, CancellationToken ct);

    /// <summary>Instants and what became of them, newest first.</summary>
    Task<Listing<ScheduleFiring>> ListFiringsAsync(string name, FiringQuery query, CancellationToken ct);
}
