using System.Net.Http.Json;
using Broker.Operators;

namespace Broker.Sdk;

public sealed partial class OperatorClient
{
    /// <inheritdoc/>
    public Task<EventRouting> PublishEventAsync(TypedEvent sent, CancellationToken ct) => SendAsync(HttpMethod.Post, new("events"), JsonContent.Create(sent, Json.TypedEvent), Json.EventRouting, ct);

    /// <inheritdoc/>
    public Task<MaintenanceState> BeginMaintenanceAsync(HoldCommand command, CancellationToken ct) => OrderAsync(new("maintenance", "begin"), command, Json.MaintenanceState, ct);

    /// <inheritdoc/>
    public Task<MaintenanceState> EndMaintenanceAsync(HoldCommand command, CancellationToken ct) => OrderAsync(new("maintenance", "end"), command, Json.MaintenanceState, ct);

    /// <inheritdoc/>
    public Task<Listing<Schedule>> ListSchedulesAsync(ScheduleQuery query, CancellationToken ct) =>
        GetAsync(new Address("schedules").With("q", query.Search).With("paused", query.Paused switch { null => null, true => "true", false => "false" }).Page(query.Limit, query.Cursor), Json.ListingSchedule, ct);

    /// <inheritdoc/>
    public Task<Schedule> GetScheduleAsync(string name, CancellationToken ct) => GetAsync(new("schedules", name), Json.Schedule, ct);

    /// <inheritdoc/>
    public Task<Schedule> PutScheduleAsync(string name, ScheduleSpec spec, CancellationToken ct) =>
        SendAsync(HttpMethod.Put, new("schedules", name), JsonContent.Create(spec, Json.ScheduleSpec), Json.Schedule, ct);

    /// <inheritdoc/>
    public Task<Schedule> DeleteScheduleAsync(string name, CancellationToken ct) => SendAsync(HttpMethod.Delete, new("schedules", name), new StringContent(""), Json.Schedule, ct);

    /// <inheritdoc/>
    public Task<Schedule> PauseScheduleAsync(string name, HoldCommand command, CancellationToken ct) => OrderAsync(new("schedules", name, "pause"), command, Json.Schedule, ct);

    /// <inheritdoc/>
    public Task<Schedule> ResumeScheduleAsync(string name, HoldCommand command, CancellationToken ct) => OrderAsync(new("schedules", name, "resume"), command, Json.Schedule, ct);

    /// <inheritdoc/>
    public Task<ScheduleFiring> TriggerScheduleAsync(string name, HoldCommand command, CancellationToken ct) => OrderAsync(new("schedules", name, "trigger"), command, Json.ScheduleFiring, ct);

    /// <inheritdoc/>
    public Task<BackfillPlan> BackfillScheduleAsync(string name, ScheduleBackfill backfill, CancellationToken ct) =>
        SendAsync(HttpMethod.Post, new("schedules", name, "backfill"), JsonContent.Create(backfill, Json.ScheduleBackfill), Json.BackfillPlan, ct);

    /// <inheritdoc/>
    public Task<ScheduleNext> GetNextAsync(string name, int count, CancellationToken ct) => GetAsync(new Address("schedules", name, "next").With("count", count), Json.ScheduleNext, ct);

    /// <inheritdoc/>
    public Task<Listing<ScheduleFiring>> ListFiringsAsync(string name, FiringQuery query, CancellationToken ct) =>
        GetAsync(new Address("schedules", name, "history").With("status", query.Status).Page(query.Limit, query.Cursor), Json.ListingScheduleFiring, ct);
}
