namespace Broker.Auth;

/// <summary>The settings are in order, and starting with them would be a mistake all the same: the message says what to write.</summary>
internal sealed class StartRefusedException(string message) : Exception(message);
