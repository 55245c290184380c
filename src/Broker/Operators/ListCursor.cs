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
    public static string Write(string list, params ReadOnlySpan<long> place) => Write(list, "", place);

    /// <param name="list">The list with its filter and order.</param>
    /// <param name="name">Name of the place.</param>
    /// <param name="place">Numbers of the place.</param>
    public static string Write(string list, string name, params ReadOnlySpan<long> place)
    {
        var bytes = new byte[Digest + (place.Length * sizeof(long)) + Encoding.UTF8.GetByteCount(name)];
        DigestOf(list).CopyTo(bytes);
        for (var i = 0; i < place.Length; i++) BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(Digest + (i * sizeof(long))), place[i]);
        Encoding.UTF8.GetBytes(name, bytes.AsSpan(Digest + (place.Length * sizeof(long))));
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>The numbers of the place; null for no cursor.</summary>
    /// <exception cref="OperatorException">The cursor is of another list, or it is no cursor.</exception>
    public static long[]? Read(string? cursor, string list, int numbers) =>
        ReadNamed(cursor, list, numbers) is not var (place, name) ? null : name.Length == 0 ? place : throw Mismatch();

    /// <summary>The numbers and the name of the place; null for no cursor.</summary>
    /// <exception cref="OperatorException">The cursor is of another list, or it is no cursor.</exception>
    public static (long[] Place, string Name)? ReadNamed(string? cursor, string list, int numbers)
    {
        if (cursor is null) return null;
        if (!Base64Url.IsValid(cursor, out var length) || length < Digest) throw OperatorException.BadParameter("cursor", "expected the cursor of a page before");
        var bytes = Base64Url.DecodeFromChars(cursor);
        var names = Digest + (numbers * sizeof(long));
        if (length < names || !bytes.AsSpan(0, Digest).SequenceEqual(DigestOf(list))) throw Mismatch();
        var place = new long[numbers];
        for (var i = 0; i < numbers; i++) place[i] = BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(Digest + (i * sizeof(long))));
        return (place, Encoding.UTF8.GetString(bytes.AsSpan(names)));
    }

    private static OperatorException Mismatch() => new(
        StatusCodes.Status400BadRequest, "cursor_mismatch", "The cursor belongs to another filter or order: begin the list again without it.", "query.cursor");

    private static ReadOnlySpan<byte> DigestOf(string list) => SHA256.HashData(Encoding.UTF8.GetBytes(list)).AsSpan(0, Digest);
}
