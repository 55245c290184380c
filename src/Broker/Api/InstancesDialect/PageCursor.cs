using System.Buffers.Text;
using System.Text.Json;
using System.Text.Unicode;
using Broker.Core.Json;
using Broker.Http;

namespace Broker.Api.InstancesDialect;

/// <summary>Which list a cursor goes on with.</summary>
internal enum CursorKind
{
    InstancesById,
    InstancesByStatus,
    Steps,
    Events,
    Logs,
}

/// <summary>Where a page ended: opaque to clients, and what it says about size and order wins over the request (instances contract 2.3).</summary>
/// <param name="Kind">The list it belongs to.</param>
/// <param name="Descending">Order of the list.</param>
/// <param name="PageSize">Rows in a page.</param>
/// <param name="Ticks">UTC ticks of the last row where the list is ordered by an instant, else 0.</param>
/// <param name="Row">Number of the last row, or index of the last step, else 0.</param>
/// <param name="Id">Id of the last instance, else empty.</param>
internal sealed record PageCursor(CursorKind Kind, bool Descending, int PageSize, long Ticks = 0, long Row = 0, string Id = "")
{
    private const int LongestText = 4096;

    public DateTimeOffset At => new(Ticks, TimeSpan.Zero);

    public string Encode()
    {
        using var buffer = new PooledBuffer();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("v", 1);
            json.WriteNumber("kind", (int)Kind);
            json.WriteBoolean("desc", Descending);
            json.WriteNumber("size", PageSize);
            json.WriteNumber("at", Ticks);
            json.WriteNumber("row", Row);
            json.WriteString("id", Id);
            json.WriteEndObject();
        }

        return Base64Url.EncodeToString(buffer.Written.Span);
    }

    /// <summary>Null for what is no cursor of that kind: the first page is answered then.</summary>
    public static PageCursor? Decode(string? text, CursorKind kind)
    {
        if (text is null or { Length: > LongestText } || !Base64Url.IsValid(text)) return null;
        var bytes = Base64Url.DecodeFromChars(text);
        if (!Utf8.IsValid(bytes)) return null;
        try
        {
            using var document = JsonDocument.Parse(bytes);
            return Read(document.RootElement) is { } cursor && cursor.Kind == kind ? cursor : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static PageCursor? Read(JsonElement root)
    {
        if (root.ValueKind is not JsonValueKind.Object
            || Number(root, "v") is not 1
            || Number(root, "kind") is not { } kind
            || Number(root, "size") is not (>= 1 and <= PageSizes.Largest and { } size)
            || Number(root, "at") is not (>= 0 and { } ticks) || ticks > DateTimeOffset.MaxValue.Ticks
            || Number(root, "row") is not (>= 0 and { } row)
            || JsonMembers.Find(root, "desc") is not { ValueKind: JsonValueKind.True or JsonValueKind.False } order
            || JsonMembers.Find(root, "id") is not { ValueKind: JsonValueKind.String } last)
        {
            return null;
        }

        var id = JsonText.StringOf(last);
        if (!StorableText.Fits(id) || kind is < 0 or > (int)CursorKind.Logs) return null;
        return new((CursorKind)kind, order.GetBoolean(), (int)size, ticks, row, id);
    }

    private static long? Number(JsonElement root, string name) =>
        JsonMembers.Find(root, name) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt64(out var value) ? value : null;
}

/// <summary>Members by name, also in objects with names that are no text (lone surrogates), on which the framework's look-up throws.</summary>
internal static class JsonMembers
{
    /// <summary>The last member of that name, as clients' parsers take it; null when there is none.</summary>
    public static JsonElement? Find(JsonElement owner, string name)
    {
        JsonElement? found = null;
        foreach (var member in owner.EnumerateObject())
        {
            if (JsonText.NameOf(member) == name) found = member.Value;
        }

        return found;
    }
}
