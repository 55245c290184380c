using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Broker.Operators;

/// <summary>Cursors of lists: opaque text that holds a place and a digest of the filter and order that it belongs to.</summary>
internal static class ListCursor
{
    private const int Digest = 8;

    /// <param name="list">The list with its filter and order.</param>
    /// <param name="place">Numbers of the place.</param>
    public static string Write(string list, params ReadOnlySpan<long> place)
    {
        Span<byte> bytes = stackalloc byte[Digest + (place.Length * sizeof(long))];
        DigestOf(list).CopyTo(bytes);
        for (var i = 0; i < place.Length; i++) BinaryPrimitives.WriteInt64BigEndian(bytes[(Digest + (i * sizeof(long)))..], place[i]);
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>The numbers of the place; null for no cursor.</summary>
    /// <exception cref="OperatorException">The cursor is of another list, or it is no cursor.</exception>
    public static long[]? Read(string? cursor, string list, int numbers)
    {
        if (cursor is null) return null;
        Span<byte> bytes = stackalloc byte[Digest + (numbers * sizeof(long))];
        if (!Base64Url.IsValid(cursor, out var length) || length < Digest || length % sizeof(long) != 0)
            throw OperatorException.BadParameter("cursor", "expected the cursor of a page before");
        if (length != bytes.Length || !Base64Url.TryDecodeFromChars(cursor, bytes, out _) || !bytes[..Digest].SequenceEqual(DigestOf(list)))
            throw new OperatorException(StatusCodes.Status400BadRequest, "cursor_mismatch", "The cursor belongs to another filter or order: begin the list again without it.", "query.cursor");
        var place = new long[numbers];
        for (var i = 0; i < numbers; i++) place[i] = BinaryPrimitives.ReadInt64BigEndian(bytes[(Digest + (i * sizeof(long)))..]);
        return place;
    }

    private static ReadOnlySpan<byte> DigestOf(string list) => SHA256.HashData(Encoding.UTF8.GetBytes(list)).AsSpan(0, Digest);
}
