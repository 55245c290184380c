using System.Net;
using System.Net.Sockets;
using Broker.Operations;
using Xunit;

namespace Broker.Tests.Host;

/// <summary>Jobs contract 10.</summary>
public sealed class PortSearchTests
{
    [Fact]
    public void A_taken_port_leads_to_one_of_the_next_hundred()
    {
        using var first = PortSearch.Listen(new(IPAddress.Loopback, 0));
        using var second = PortSearch.Listen(new(IPAddress.Loopback, PortOf(first)));

        // 65535 may have been the first one's: then any free port serves.
        if (PortOf(first) < IPEndPoint.MaxPort - 100) Assert.InRange(PortOf(second), PortOf(first) + 1, PortOf(first) + 100);
        else Assert.NotEqual(PortOf(first), PortOf(second));
    }

    [Fact]
    public void Beyond_the_last_port_any_free_one_is_taken()
    {
        using var last = PortSearch.Listen(new(IPAddress.Loopback, IPEndPoint.MaxPort));
        using var next = PortSearch.Listen(new(IPAddress.Loopback, IPEndPoint.MaxPort));

        Assert.NotEqual(PortOf(last), PortOf(next));
        Assert.NotEqual(0, PortOf(next));
    }

    [Fact]
    public async Task Searches_at_the_same_moment_find_different_ports()
    {
        int wanted;
        using (var probe = PortSearch.Listen(new(IPAddress.Loopback, 0))) wanted = PortOf(probe);

        var found = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => PortSearch.Listen(new(IPAddress.Loopback, wanted)))));
        try
        {
            Assert.Equal(20, found.Select(PortOf).Distinct().Count());
        }
        finally
        {
            foreach (var socket in found) socket.Dispose();
        }
    }

    private static int PortOf(Socket socket) => ((IPEndPoint)socket.LocalEndPoint!).Port;
}
