using System.Buffers.Binary;

namespace Broker.Core.Steps;

/// <summary>
/// The right to report one attempt of one step: a UUID (version 8). It holds the run (47 bits), the step (24 bits) and the fence (50 random bits).
/// A report therefore finds its row by primary key, and the hot table needs no index on leases.
/// </summary>
public readonly record struct LeaseId(Guid Value)
{
    private const ulong RandomHigh = 0x0FFF;
    private const ulong RandomLow = 0x3F_FFFF_FFFF;

    /// <summary>Fences are below this.</summary>
    public const long FenceLimit = 1L << 50;

    public long RunId
    {
        get
        {
            Span<byte> bytes = stackalloc byte[16];
            Value.TryWriteBytes(bytes, bigEndian: true, out _);
            return (long)(BinaryPrimitives.ReadUInt64BigEndian(bytes) >> 16);
        }
    }

    public int Step
    {
        get
        {
            Span<byte> bytes = stackalloc byte[16];
            Value.TryWriteBytes(bytes, bigEndian: true, out _);
            return (int)(BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]) & 0xFF_FFFF);
        }
    }

    /// <summary>The random part, kept in the step's row: a report must match it.</summary>
    public long Fence
    {
        get
        {
            Span<byte> bytes = stackalloc byte[16];
            Value.TryWriteBytes(bytes, bigEndian: true, out _);
            var high = BinaryPrimitives.ReadUInt64BigEndian(bytes) & RandomHigh;
            return (long)((high << 38) | ((BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]) >> 24) & RandomLow));
        }
    }

    /// <summary>The lease of a step under a fence: 50 random bits from a cryptographic source, or the stored ones.</summary>
    public static LeaseId Create(long runId, int step, long fence)
    {
        Span<byte> bytes = stackalloc byte[16];
        var high = ((ulong)runId << 16) | 0x8000 | (((ulong)fence >> 38) & RandomHigh);
        var low = 0x8000_0000_0000_0000 | (((ulong)fence & RandomLow) << 24) | (uint)(step & 0xFF_FFFF);
        BinaryPrimitives.WriteUInt64BigEndian(bytes, high);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], low);
        return new LeaseId(new Guid(bytes, bigEndian: true));
    }

    /// <summary>Reads the form that clients send back; false for anything that cannot be one of ours.</summary>
    public static bool TryParse(string? text, out LeaseId lease)
    {
        lease = default;
        if (!Guid.TryParseExact(text, "D", out var value) || value.Version != 8 || (value.Variant & 0xC) != 0x8) return false;
        lease = new LeaseId(value);
        return true;
    }

    public override string ToString() => Value.ToString("D");
}
