using System.Net.Sockets;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>The look for a Docker engine, which decides where test databases come from.</summary>
public sealed class DockerEngineTests
{
    [Theory]
    [InlineData("unix:///no/such/docker.sock")]
    [InlineData("tcp://127.0.0.1:1")]
    [InlineData("docker")]
    public void Where_nothing_listens_there_is_no_engine(string host) => Assert.False(DockerEngine.AnswersAt(host));

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK", true)]
    [InlineData("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", false)]
    [InlineData("", false)]
    public async Task An_engine_counts_when_it_answers_a_ping_with_200(string answer, bool counts)
    {
        using var folder = new TempFolder();
        var path = Path.Combine(folder.Path, "docker.sock");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        var engine = Task.Run(async () =>
        {
            using var client = await listener.AcceptAsync(TestContext.Current.CancellationToken);
            await client.ReceiveAsync(new byte[1024], TestContext.Current.CancellationToken);
            await client.SendAsync(System.Text.Encoding.ASCII.GetBytes(answer), TestContext.Current.CancellationToken);
            client.Shutdown(SocketShutdown.Send);
        }, TestContext.Current.CancellationToken);

        Assert.Equal(counts, DockerEngine.AnswersAt($"unix://{path}"));
        await engine;
    }
}
