namespace Broker.Storage.Dispatch;

/// <summary>A run was looked up by a name that has moved on: the transaction is tried again.</summary>
internal sealed class StaleNameException : Exception;
