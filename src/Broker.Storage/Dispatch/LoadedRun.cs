using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Storage.Dispatch;

/// <summary>A run's row as a transaction loads it: its state, and the names that answers carry.</summary>
internal sealed record LoadedRun(RunState State, RunRef Ref, int DefinitionId, bool IsCurrent);

/// <summary>Rows that a transaction found at its begin.</summary>
internal sealed record Loaded(IReadOnlyList<LoadedRun> Runs, ILookup<long, StepState> Steps, DateTimeOffset Now);
