namespace Broker.Auth;

/// <summary>Refuses a start with valid but unsafe settings; the message says what to write.</summary>
internal sealed class StartRefusedException(string message) : Exception(message);
