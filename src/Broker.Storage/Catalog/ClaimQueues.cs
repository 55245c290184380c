using Broker.Storage.Tables;

namespace Broker.Storage.Catalog;

/// <summary>Queues that are open to a claim.</summary>
/// <param name="Kind">Equal for claims that may get the same steps.</param>
/// <param name="List">The catalogue keeps one list object for equal claims.</param>
internal readonly record struct ClaimQueues(string Kind, IReadOnlyList<QueueRow> List);
