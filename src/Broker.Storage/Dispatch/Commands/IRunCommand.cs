using Broker.Core.Definitions;
using Broker.Storage.Catalog;

namespace Broker.Storage.Dispatch.Commands;

/// <summary>A command on a run that the caller may know by name only.</summary>
internal interface INamedCommand
{
    /// <summary>The run's id; zero: not known yet.</summary>
    long RunId { get; set; }

    /// <summary>The run's name, where the caller gave no id.</summary>
    RunName? Name { get; }

    /// <summary>The definition is known now: a command that names its step finds the index.</summary>
    void Locate(WorkflowDefinition definition)
    {
    }
}

/// <summary>A command on one run, which is loaded and locked for it.</summary>
internal interface IRunCommand : INamedCommand
{
    /// <summary>The step to load.</summary>
    int? StepIndex { get; }

    LoadRequirements Requirements { get; }
}
