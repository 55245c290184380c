using Xunit;

namespace Broker.Tests.BrokerDialect;

/// <summary>
/// The broker contract, against a broker on any database. Every test has workflows and workers of its own: one broker serves them all.
/// </summary>
public abstract partial class BrokerDialectTests
{
    /// <summary>Reaches the broker under test.</summary>
    protected abstract HttpClient Client { get; }

    private Wire Wire => new(Client);

    [Fact]
    public async Task The_status_is_ok()
    {
        var reply = await Wire.GetAsync("/status");

        Assert.Equal(new Reply(200, "application/json", """{"status":"ok"}"""), reply);
    }
}
