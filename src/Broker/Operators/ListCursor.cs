using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Broker.Operators;

/// <summary>Cursors of lists: opaque text that holds a place, a direction and a digest of the filter and order that it belongs to.</summary>
internal static class ListCursor
{
    private const int Digest = 8;
    private const int Head = Digest + 1;

    /// <param name="list">The list with its filter and order.</param>
    /// <param name="direction">Which page it asks for.</param>
    /// <param name="place">The place.</param>
    public static string Write(string list, ListDirection direction, ListPlace place)
    {
        var names = Head + (place.Numbers.Length * sizeof(long));
        var bytes = new byte[names + Encoding.UTF8.GetByteCount(place.Name)];
        DigestOf(list).CopyTo(bytes);
        bytes[Digest] = (byte)direction;
        for (var i = 0; i < place.Numbers.Length; i++) BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(Head + (i * sizeof(long))), place.Numbers[i]);
        Encoding.UTF8.GetBytes(place.Name, bytes.AsSpan(names));
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>The page that the cursor asks for; null for no cursor.</summary>
    /// <exception cref="OperatorException">The cursor is of another list, or it is no cursor.</exception>
    public static (ListDirection Direction, ListPlace Place)? Read(string? cursor, string list, int numbers)
    {
        if (cursor is null) return null;
        if (!Base64Url.IsValid(cursor, out var length) || length < Head) throw OperatorException.BadParameter("cursor", "expected the cursor of another page");
        var bytes = Base64Url.DecodeFromChars(cursor);
        var names = Head + (numbers * sizeof(long));
        if (length < names || bytes[Digest] > (byte)ListDirection.Start || !bytes.AsSpan(0, Digest).SequenceEqual(DigestOf(list))) throw Mismatch();
        var place = new long[numbers];
        for (var i = 0; i < numbers; i++) place[i] = BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(Head + (i * sizeof(long))));
        return ((ListDirection)bytes[Digest], new(Encoding.UTF8.GetString(bytes.AsSpan(names)), place));
    }

    public static OperatorException Mismatch() => new(
        StatusCodes.Status400BadRequest, "cursor_mismatch", "The cursor belongs to another filter or order: begin the list again without it.", "query.cursor");

    private static ReadOnlySpan<byte> DigestOf(string list) => SHA256.HashData(Encoding.UTF8.GetBytes(list)).AsSpan(0, Digest);
}
