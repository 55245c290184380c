namespace Broker.Storage.Lanes;

/// <summary>A step that a worker could take from that instant on.</summary>
internal readonly record struct ReadyHint(int QueueId, long Due, StepKey Step);
