using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch;

/// <summary>A step that a worker could take from that instant on.</summary>
internal readonly record struct ReadyStep(int QueueId, long Due, StepKey Step);
