using Broker.Background;
using Broker.Core.Runs;
using Broker.Settings;
using Broker.Storage.Contracts;

namespace Broker.Webhooks;

/// <summary>A queue whose steps no worker can take.</summary>
/// <param name="Id">Id of the queue.</param>
/// <param name="Run">Run of the step that is first in line.</param>
/// <param name="Step">That step.</param>
/// <param name="Due">When it became claimable.</param>
/// <param name="Labels">Labels that a worker must offer.</param>
/// <param name="Depth">Claimable steps, counted up to a bound.</param>
/// <param name="At">The store's time.</param>
internal sealed record StarvedQueue(int Id, RunRef Run, string Step, DateTimeOffset Due, IReadOnlyList<string> Labels, int Depth, DateTimeOffset At)
{
    public TimeSpan Age => At - Due;
}

/// <summary>
/// Looks every 15 s for queues whose oldest step has been claimable for a minute while no worker could take it. Each is announced once, until a worker can serve
/// it again. Several brokers make the same message id of it, so that a subscription gets one.
/// </summary>
internal sealed class StarvationWatch(IWorkFacts work, IStepFacts steps, WebhookSubscriptions subscriptions, NoticeHandler notices, BrokerSettings settings, TimeProvider clock, ILogger<StarvationWatch> log)
    : PeriodicService(TimeSpan.FromSeconds(15), clock, log)
{
    private static readonly TimeSpan StarvedAfter = TimeSpan.FromMinutes(1);

    private HashSet<int> announced = [];

    internal override async Task<int> RunOnceAsync(CancellationToken ct)
    {
        if (!subscriptions.All.Any(one => one.Webhook is { IsEnabled: true } webhook && webhook.Events.HasFlag(NoticeKinds.QueueStarved))) return 0;
        var (queues, now) = await work.QueuesAsync(null, settings.SilentAfter, ct);
        var starved = queues.Where(queue => queue is { Depth: > 0, WorkersAble: 0, OldestDue: { } due } && now - due >= StarvedAfter).ToList();
        announced.IntersectWith(starved.Select(queue => queue.Id));
        var messages = new List<Message>();
        foreach (var queue in starved.Where(queue => !announced.Contains(queue.Id)))
        {
            if (await steps.FirstOfQueueAsync(queue.Id, ct) is not { } oldest) continue;
            var found = new StarvedQueue(queue.Id, oldest.Run, oldest.Step.Name, oldest.State.Due, queue.Labels, queue.Depth, now);
            messages.Add(new(oldest.Run.Id, NoticeKinds.QueueStarved, $"msg_starved_{oldest.Run.Id:x}_{oldest.State.Index:x}_{oldest.State.Due.UtcTicks:x}", WebhookMessage.Of(found)));
        }

        if (messages.Count > 0) await notices.QueueAsync(messages, ct);
        announced = [.. starved.Select(queue => queue.Id)];
        return messages.Count;
    }
}
