using System.Text.Json;
using Broker.Operators;
using Broker.Storage.Contracts;

namespace Broker.Webhooks;

/// <summary>Bodies that webhooks are sent.</summary>
internal static class WebhookMessage
{
    public static string Of(RunNotice notice) => Write(new(WebhookEvents.WordOf(notice.Kind), notice.At, new()
    {
        Workflow = notice.Workflow,
        Instance = notice.InstanceId,
        Run = notice.Number,
        Version = notice.Version,
        Step = notice.Step,
        Event = notice.Event,
        Error = notice.ErrorName is { } name ? new(notice.Step, name, notice.ErrorMessage ?? "") : null,
    }));

    public static string Of(StarvedQueue queue) => Write(new(WebhookEvents.WordOf(NoticeKinds.QueueStarved), queue.At, new()
    {
        Workflow = queue.Run.Workflow,
        Instance = queue.Run.InstanceId,
        Run = queue.Run.Number,
        Step = queue.Step,
        Labels = queue.Labels,
        Depth = queue.Depth,
        OldestMs = (long)queue.Age.TotalMilliseconds,
    }));

    public static string Test(DateTimeOffset now) => Write(new(WebhookEvents.Test, now, new()));

    private static string Write(WebhookEvent message) => JsonSerializer.Serialize(message, OperatorJson.Default.WebhookEvent);
}
