namespace Broker.Api.InstancesDialect;

/// <summary>Example of each body in the API description, named like its record.</summary>
internal static class InstancesExamples
{
    public const string WorkflowNamesDto = """{"workflows":[{"name":"approvals"}]}""";
    public const string CreateInstanceDto = """{"id":"order-7","params":{"amount":12}}""";
    public const string CreateInstancesDto = """{"instances":[{"id":"order-7","params":{"amount":12}},{"id":"order-8","params":{"amount":99}}]}""";
    public const string InstanceStatusDto = """{"id":"order-7","details":{"status":"queued"}}""";
    public const string InstanceStatusesDto = """{"instances":[{"id":"order-7","details":{"status":"queued"}}]}""";

    public const string InstancePageDto =
        """{"instances":[{"id":"order-7","details":{"status":"waiting","runGeneration":1},"createdAt":"2026-02-03T10:20:30.123Z"}],"hasNextPage":false}""";

    public const string InstanceDetailsDto = """
        {"id":"order-7","details":{"status":"waiting","runGeneration":1},
         "meta":{"workflowName":"approvals","runNumber":0,"runGeneration":1,"params":{"amount":12},"pauseRequested":false,
          "createdAt":"2026-02-03T10:20:30.123Z","updatedAt":"2026-02-03T10:20:30.410Z","startedAt":"2026-02-03T10:20:30.200Z","completedAt":null,
          "currentStep":{"stepKey":"wait-approval","name":"wait-approval","type":"waitForEvent","status":"waiting","attempts":0,"maxAttempts":1,
           "timeoutMs":900000,"nextRetryAt":null,"wakeAt":"2026-02-03T10:35:30.400Z","waitEventType":"approval"}}}
        """;

    public const string InstanceHistoryDto = """
        {"runNumber":0,
         "steps":[{"id":"step_1_0","runNumber":0,"stepKey":"prepare","name":"prepare","type":"do","status":"completed","attempts":1,"maxAttempts":1,
          "timeoutMs":null,"nextRetryAt":null,"wakeAt":null,"waitEventType":null,"result":{"ok":true},"parentStepKey":null,"depth":0,
          "createdAt":"2026-02-03T10:20:30.200Z","updatedAt":"2026-02-03T10:20:30.300Z"}],
         "events":[{"id":"event_1","runNumber":0,"type":"approval","payload":{"by":"kim"},"createdAt":"2026-02-03T10:21:00.000Z",
          "deliveredAt":"2026-02-03T10:21:00.020Z","consumedByStepKey":"wait-approval"}],
         "emissions":[],"stepsHasNextPage":false,"eventsHasNextPage":false}
        """;

    public const string OkDto = """{"ok":true}""";
    public const string SendEventDto = """{"type":"approval","payload":{"by":"kim"},"id":"mail-4711"}""";
    public const string EventStatusDto = """{"status":{"status":"waiting"},"accepted":true}""";
    public const string TickDto = """{"maxInstances":10,"maxSteps":100}""";
    public const string TickedDto = """{"processed":2}""";

    public const string InstanceErrorDto =
        """{"message":"Validation failed","code":"FRAGNO_VALIDATION_ERROR","issues":[{"path":["id"],"message":"expected a string","code":"invalid_type"}]}""";
}
