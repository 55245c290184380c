using System.Diagnostics;
using System.Net.Sockets;

namespace Broker.Worker.Tests;

public sealed class BoundedFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("worker-test-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string PathOf(string name) => Path.Combine(folder, name);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100)]
    public void A_file_within_the_limit_is_read(int length)
    {
        File.WriteAllBytes(PathOf("file"), new byte[length]);

        Assert.Equal(length, BoundedFile.Read(PathOf("file"), 100)!.Length);
    }

    [Fact]
    public void A_file_beyond_the_limit_is_refused()
    {
        File.WriteAllBytes(PathOf("file"), new byte[101]);

        Assert.Equal("has more than 100 bytes", Assert.Throws<FormatException>(() => BoundedFile.Read(PathOf("file"), 100)).Message);
    }

    [Fact]
    public void A_file_of_unknown_length_is_read_to_the_limit()
    {
        Assert.NotEmpty(BoundedFile.Read("/proc/self/status", 100_000)!);
        Assert.Throws<FormatException>(() => BoundedFile.Read("/proc/self/status", 10));
    }

    [Fact]
    public void A_missing_file_is_null() => Assert.Null(BoundedFile.Read(PathOf("file"), 100));

    [Fact]
    public void A_path_that_is_no_regular_file_is_refused_at_once()
    {
        using (var make = Process.Start("mkfifo", [PathOf("fifo")])) make.WaitForExit();
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(PathOf("socket")));
        File.WriteAllText(PathOf("file"), "text");
        File.CreateSymbolicLink(PathOf("link"), PathOf("file"));
        File.CreateSymbolicLink(PathOf("zero"), "/dev/zero");
        File.CreateSymbolicLink(PathOf("nothing"), PathOf("missing"));

        Assert.All(
            ["fifo", "socket", "link", "zero", "nothing", "."],
            name => Assert.Throws<FormatException>(() => BoundedFile.Read(PathOf(name), 100)));
        Assert.Equal("text"u8.ToArray(), BoundedFile.Read(PathOf("link"), 100, followLinks: true));
        Assert.All(["fifo", "zero"], name => Assert.Throws<FormatException>(() => BoundedFile.Read(PathOf(name), 100, followLinks: true)));
    }
}
