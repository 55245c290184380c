using System.Buffers;

namespace Broker.Http;

/// <summary>A growing buffer from the shared pool, for one answer.</summary>
internal sealed class PooledBuffer : IBufferWriter<byte>, IDisposable
{
    private byte[] bytes = ArrayPool<byte>.Shared.Rent(1024);
    private int written;

    public ReadOnlyMemory<byte> Written => bytes.AsMemory(0, written);

    public void Advance(int count) => written += count;

    public void Clear() => written = 0;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Ensure(Math.Max(sizeHint, 1));
        return bytes.AsMemory(written);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    private void Ensure(int room)
    {
        if (bytes.Length - written >= room) return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(bytes.Length * 2, written + room));
        bytes.AsSpan(0, written).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(bytes);
        bytes = larger;
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(bytes);
        bytes = [];
    }
}
