namespace Broker.Sdk;

/// <summary>Where the broker is and how the client identifies itself.</summary>
public sealed class BrokerClientOptions
{
    /// <summary>Address of the broker, with its path where it has one; <c>http://localhost:3000</c> by default. Else <c>Broker:Client:Server</c>.</summary>
    public Uri Server { get; set; } = new("http://localhost:3000");

    /// <summary>API key; null: none is sent. By default that of the variable <c>BROKER_API_KEY</c>. Else <c>Broker:Client:ApiKey</c>.</summary>
    public string? ApiKey { get; set; } = Environment.GetEnvironmentVariable("BROKER_API_KEY") is { Length: > 0 } key ? key : null;
}
