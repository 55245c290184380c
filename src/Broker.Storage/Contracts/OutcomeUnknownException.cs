namespace Broker.Storage.Contracts;

/// <summary>A commit was sent and not confirmed: its transaction may be durable, lost, or on the primary alone (503). It is never tried again here.</summary>
public sealed class OutcomeUnknownException(string reason, Exception? inner)
    : StoreUnavailableException($"The outcome is unknown: the database did not confirm the commit ({reason}). Send the same request again, or look at what it should have changed.", inner);
