using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Broker.Operators.Graphs;

namespace Broker.Operators;

/// <summary>Serialisers of the API: members in snake_case, members without a value left out, instants in UTC.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(InstantConverter)])]
[JsonSerializable(typeof(OperatorProblem))]
[JsonSerializable(typeof(Me))]
[JsonSerializable(typeof(Listing<RunSummary>))]
[JsonSerializable(typeof(RunCount))]
[JsonSerializable(typeof(RunDetail))]
[JsonSerializable(typeof(Listing<StepSummary>))]
[JsonSerializable(typeof(StepStates))]
[JsonSerializable(typeof(StepDetail))]
[JsonSerializable(typeof(RunCommand))]
[JsonSerializable(typeof(RunRetry))]
[JsonSerializable(typeof(RunFork))]
[JsonSerializable(typeof(RunRerun))]
[JsonSerializable(typeof(RunChange))]
[JsonSerializable(typeof(NewEvent))]
[JsonSerializable(typeof(EventReceipt))]
[JsonSerializable(typeof(NewRun))]
[JsonSerializable(typeof(StartedRun))]
[JsonSerializable(typeof(RunTagSet))]
[JsonSerializable(typeof(WorkflowText))]
[JsonSerializable(typeof(AppliedWorkflow))]
[JsonSerializable(typeof(Listing<StepAttempt>))]
[JsonSerializable(typeof(Listing<StepItem>))]
[JsonSerializable(typeof(RunExplanation))]
[JsonSerializable(typeof(Listing<RunEvent>))]
[JsonSerializable(typeof(LogListing))]
[JsonSerializable(typeof(RunsExplanation))]
[JsonSerializable(typeof(Listing<WorkflowSummary>))]
[JsonSerializable(typeof(WorkflowDetail))]
[JsonSerializable(typeof(Listing<WorkflowVersion>))]
[JsonSerializable(typeof(Listing<WaitingStep>))]
[JsonSerializable(typeof(Listing<WorkQueue>))]
[JsonSerializable(typeof(Listing<WorkerInfo>))]
[JsonSerializable(typeof(WorkerInfo))]
[JsonSerializable(typeof(Listing<AuditRecord>))]
[JsonSerializable(typeof(RunHistogram))]
[JsonSerializable(typeof(FailureGroups))]
[JsonSerializable(typeof(Overview))]
[JsonSerializable(typeof(SearchHits))]
[JsonSerializable(typeof(SystemInfo))]
[JsonSerializable(typeof(StepCommand))]
[JsonSerializable(typeof(StepCompletion))]
[JsonSerializable(typeof(StepFailing))]
[JsonSerializable(typeof(HoldCommand))]
[JsonSerializable(typeof(WorkflowStarts))]
[JsonSerializable(typeof(WorkerOrder))]
[JsonSerializable(typeof(MaintenanceState))]
[JsonSerializable(typeof(Listing<KeyInfo>))]
[JsonSerializable(typeof(NewKey))]
[JsonSerializable(typeof(Listing<SessionInfo>))]
[JsonSerializable(typeof(SessionInfo))]
[JsonSerializable(typeof(CreatedKey))]
[JsonSerializable(typeof(KeyInfo))]
[JsonSerializable(typeof(Listing<Webhook>))]
[JsonSerializable(typeof(Webhook))]
[JsonSerializable(typeof(CreatedWebhook))]
[JsonSerializable(typeof(NewWebhook))]
[JsonSerializable(typeof(WebhookChange))]
[JsonSerializable(typeof(WebhookEvent))]
[JsonSerializable(typeof(Listing<WebhookDelivery>))]
[JsonSerializable(typeof(WebhookDelivery))]
[JsonSerializable(typeof(TypedEvent))]
[JsonSerializable(typeof(EventRouting))]
[JsonSerializable(typeof(ScheduleSpec))]
[JsonSerializable(typeof(ScheduleCatchUp))]
[JsonSerializable(typeof(CronList))]
[JsonSerializable(typeof(Schedule))]
[JsonSerializable(typeof(Listing<Schedule>))]
[JsonSerializable(typeof(ScheduleInstant))]
[JsonSerializable(typeof(ScheduleNext))]
[JsonSerializable(typeof(ScheduleFiring))]
[JsonSerializable(typeof(Listing<ScheduleFiring>))]
[JsonSerializable(typeof(ScheduleBackfill))]
[JsonSerializable(typeof(BackfillPlan))]
[JsonSerializable(typeof(GraphGeometry))]
[JsonSerializable(typeof(NewBulk))]
[JsonSerializable(typeof(IReadOnlyList<RunAddress>))]
[JsonSerializable(typeof(BulkPlan))]
[JsonSerializable(typeof(BulkStart))]
[JsonSerializable(typeof(BulkStop))]
[JsonSerializable(typeof(BulkState))]
[JsonSerializable(typeof(Listing<BulkState>))]
[JsonSerializable(typeof(Listing<BulkResult>))]
public sealed partial class OperatorJson : JsonSerializerContext;

/// <summary>Instants as RFC 3339 in UTC, to the microsecond.</summary>
internal sealed class InstantConverter : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDateTimeOffset();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.FFFFFFZ", CultureInfo.InvariantCulture));
}
