using Broker.Core.Runs;
using Broker.Storage.Model;

namespace Broker.Storage.Lanes;

internal sealed class SendWork(RunName name, string type, string? payload, string? targetStep, Delivery delivery)
    : Work<(SendVerdict Verdict, RunStatus Before)>, IRunWork
{
    public long RunId { get; set; }

    public RunName? Name { get; } = name;

    public int? StepIndex => null;

    public Needs Needs => Needs.ActiveSteps | Needs.Mail;

    public void Apply(LoadedRun? run, RunSession? session, ChangeSet changes, DateTimeOffset now)
    {
        if (run is null || session is null)
        {
            Outcome = (SendVerdict.UnknownRun, default);
            return;
        }

        var before = session.StatusAt(now);
        var target = targetStep is null ? null : run.State.Definition.Find(targetStep);
        var message = new InboundEvent(now.ToMicros(), type, payload, target?.Index, now);
        var verdict = session.Deliver(message, delivery, now);
        if (verdict is SendVerdict.Delivered or SendVerdict.Kept)
        {
            changes.NewMail.Add(new InboxRow { RunId = run.Ref.Id, Id = message.Id, Type = type, Payload = payload, TargetStep = target?.Index });
        }

        Outcome = (verdict, before);
    }
}
