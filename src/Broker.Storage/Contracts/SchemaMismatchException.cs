namespace Broker.Storage.Contracts;

/// <summary>The schema is not the one of this program; the message says what to do.</summary>
public sealed class SchemaMismatchException(string message) : InvalidOperationException(message);
