using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Storage.Catalog;

namespace Broker.Storage.Dispatch.Commands;

/// <summary>Work on a run that the caller may know by name only.</summary>
internal interface INamedCommand
{
    /// <summary>The run, if its id is known.</summary>
    long RunId { get; set; }

    /// <summary>Its name, if only that is known.</summary>
    RunName? Name { get; }

    /// <summary>The definition is known now: work that names its step by name finds the index.</summary>
    void Locate(WorkflowDefinition definition)
    {
    }
}

/// <summary>Work on one run that exists: for it the run is loaded, and locked.</summary>
internal interface IRunCommand : INamedCommand
{
    /// <summary>The step that must be loaded.</summary>
    int? StepIndex { get; }

    LoadRequirements Requirements { get; }

    /// <summary>Applies itself; null session: there is no such run.</summary>
    void Apply(LoadedRun? run, RunSession? session, ChangeSet changes, DateTimeOffset now);
}
