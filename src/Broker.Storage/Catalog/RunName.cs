namespace Broker.Storage.Catalog;

/// <summary>A run by name.</summary>
/// <param name="Workflow">Workflow name.</param>
/// <param name="InstanceId">Instance id.</param>
/// <param name="Number">Run number; null: the current run.</param>
internal readonly record struct RunName(string Workflow, string InstanceId, int? Number);
