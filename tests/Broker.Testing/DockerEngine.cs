using System.Net;
using System.Net.Sockets;

namespace Broker.Testing;

/// <summary>Whether a Docker engine answers, at DOCKER_HOST or at its usual socket. Without a socket the answer costs one look at the file system.</summary>
internal static class DockerEngine
{
    private const string UsualSocket = "unix:///var/run/docker.sock";
    private const int PatienceMs = 2_000;

    public static bool Answers { get; } = AnswersAt(Environment.GetEnvironmentVariable("DOCKER_HOST") is { Length: > 0 } given ? given : UsualSocket);

    /// <param name="host">As in DOCKER_HOST: unix://PATH or tcp://HOST:PORT.</param>
    public static bool AnswersAt(string host) => Uri.TryCreate(host, UriKind.Absolute, out var address) && EndPointOf(address) is { } endPoint && Ping(endPoint);

    private static EndPoint? EndPointOf(Uri address) => address switch
    {
        { Scheme: "unix" } => File.Exists(address.AbsolutePath) ? new UnixDomainSocketEndPoint(address.AbsolutePath) : null,
        { Port: > 0 } => new DnsEndPoint(address.Host, address.Port),
        _ => null,
    };

    private static bool Ping(EndPoint endPoint)
    {
        try
        {
            using var socket = endPoint is UnixDomainSocketEndPoint
                ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
                : new Socket(SocketType.Stream, ProtocolType.Tcp);
            socket.ReceiveTimeout = PatienceMs;
            if (!socket.ConnectAsync(endPoint).Wait(PatienceMs)) return false;
            socket.Send("GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n"u8);
            var answer = new byte[12];
            var read = 0;
            while (read < answer.Length && socket.Receive(answer.AsSpan(read)) is var count and > 0) read += count;
            return answer.AsSpan(0, read).SequenceEqual("HTTP/1.1 200"u8);
        }
        catch (Exception fault) when (fault is SocketException or AggregateException)
        {
            return false;
        }
    }
}
