using Broker.Core.Runs;

namespace Broker.Storage.Dispatch.Commands;

/// <summary>Starts runs.</summary>
internal sealed class StartCommand(IReadOnlyList<StartRequest> starts) : StoreCommand<IReadOnlyList<StartOutcome>>
{
    public IReadOnlyList<StartRequest> Starts { get; } = starts;

    public override int FurtherInstants => Starts.Count;

    public override void Decide(BatchContext batch, DateTimeOffset now) => Outcome = new RunStarter(batch).Apply(Starts, now);
}
