using Broker.Core.Runs;

namespace Broker.Storage.Dispatch.Commands;

internal sealed class StartCommand(IReadOnlyList<StartRequest> starts) : StoreCommand<IReadOnlyList<StartOutcome>>
{
    public IReadOnlyList<StartRequest> Starts { get; } = starts;
}
