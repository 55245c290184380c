namespace Broker.Storage.Contracts;

/// <summary>The store cannot be reached or cannot write at present: try again later (503).</summary>
public class StoreUnavailableException(string message, Exception? inner) : Exception(message, inner);
