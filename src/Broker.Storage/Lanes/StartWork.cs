using Broker.Core.Runs;

namespace Broker.Storage.Lanes;

internal sealed class StartWork(IReadOnlyList<StartRequest> starts) : Work<IReadOnlyList<StartOutcome>>
{
    public IReadOnlyList<StartRequest> Starts { get; } = starts;
}
