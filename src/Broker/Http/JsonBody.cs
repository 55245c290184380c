using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Broker.Settings;

namespace Broker.Http;

/// <summary>Why a request body could not be read as JSON.</summary>
internal enum BodyFault
{
    None,
    Empty,

    /// <summary>413: longer than the limit.</summary>
    TooLarge,

    /// <summary>Not JSON, nested too deep, or broken off.</summary>
    NotJson,

    /// <summary>JSON, but nested deeper than <see cref="JsonBody.MaxDepth"/>.</summary>
    TooDeep,
}

/// <summary>A request body as JSON, whatever its content type says: real clients send none, or a wrong one.</summary>
internal readonly struct JsonBody : IDisposable
{
    /// <summary>Nesting that is accepted at most.</summary>
    public const int MaxDepth = 64;

    private readonly JsonDocument? document;

    private JsonBody(JsonDocument? document, BodyFault fault, string reason)
    {
        this.document = document;
        Fault = fault;
        Reason = reason;
    }

    public BodyFault Fault { get; }

    /// <summary>For people; empty when there is no fault.</summary>
    public string Reason { get; }

    /// <summary>Valid until disposed; clone what lives longer.</summary>
    public JsonElement Root => document!.RootElement;

    /// <param name="request">The request.</param>
    /// <param name="settings">How long it may be, and how deep.</param>
    /// <param name="ct">Gives up.</param>
    /// <param name="turn">Taken when the body has arrived, before it is parsed.</param>
    /// <exception cref="BodyBudgetException">The memory for large bodies is used up.</exception>
    public static ValueTask<JsonBody> ReadAsync(HttpRequest request, BrokerSettings settings, CancellationToken ct, DefinitionTurn? turn = null) =>
        ReadAsync(request, settings.MaxBodyBytes, bytes => Parse(bytes, settings.Limits.JsonDepth), turn, ct);

    /// <summary>Reads a body that is text of another format; the text is empty where there is a fault.</summary>
    public static async ValueTask<(string Text, JsonBody Body)> ReadTextAsync(HttpRequest request, int maxBytes, DefinitionTurn turn, CancellationToken ct)
    {
        var text = "";
        var body = await ReadAsync(request, maxBytes, Take, turn, ct);
        return (text, body);

        JsonBody Take(ReadOnlySequence<byte> bytes)
        {
            if (IsBlank(bytes)) return new(null, BodyFault.Empty, "the body is empty");
            var copy = bytes.ToArray();
            if (!Utf8.IsValid(copy)) return new(null, BodyFault.Empty, "the body is not UTF-8");
            text = Encoding.UTF8.GetString(copy);
            return default;
        }
    }

    private static async ValueTask<JsonBody> ReadAsync(
        HttpRequest request, int maxBytes, Func<ReadOnlySequence<byte>, JsonBody> parse, DefinitionTurn? turn, CancellationToken ct)
    {
        if (request.ContentLength > maxBytes) return TooLarge(maxBytes);
        var reader = request.BodyReader;
        BodyBudget.Share? share = null;
        while (true)
        {
            ReadResult read;
            try
            {
                read = await reader.ReadAsync(ct);
            }
            catch (BadHttpRequestException broken)
            {
                return broken.StatusCode == StatusCodes.Status413PayloadTooLarge ? TooLarge(maxBytes) : new(null, BodyFault.NotJson, broken.Message);
            }

            var length = read.Buffer.Length;
            if (length > maxBytes)
            {
                reader.AdvanceTo(read.Buffer.End);
                return TooLarge(maxBytes);
            }

            if (length > BodyBudget.FreeBytes)
            {
                share ??= BodyBudget.Open(request);
                if (!share.TryGrow(length))
                {
                    reader.AdvanceTo(read.Buffer.End);
                    throw share.IsEnded ? Stalled() : new BodyBudgetException();
                }
            }

            if (!read.IsCompleted)
            {
                reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                continue;
            }

            share?.Complete();
            try
            {
                if (turn is not null) await turn.EnterAsync(length, ct);
                return parse(read.Buffer);
            }
            finally
            {
                // Also when the client gave up its turn: Kestrel fails on a read that has not ended.
                reader.AdvanceTo(read.Buffer.End);
            }
        }
    }

    private static BadHttpRequestException Stalled() =>
        new($"no byte of the body arrived for {BodyBudget.StallTime.TotalSeconds:0} seconds while other bodies needed its memory", StatusCodes.Status408RequestTimeout);

    private static JsonBody Parse(ReadOnlySequence<byte> bytes, int depth)
    {
        bytes = WithoutMark(bytes);
        if (IsBlank(bytes)) return new(null, BodyFault.Empty, "the body is empty");

        // A copy: the document outlives the pipe's buffer.
        var copy = bytes.ToArray();
        try
        {
            // The parser does not look into strings, so reading one would throw later.
            if (!Utf8.IsValid(copy)) return new(null, BodyFault.NotJson, "the body is not UTF-8");
            return new(JsonDocument.Parse(copy, new JsonDocumentOptions { MaxDepth = depth }), BodyFault.None, "");
        }
        catch (JsonException broken)
        {
            return IsDeep(copy, depth) ? new(null, BodyFault.TooDeep, string.Create(CultureInfo.InvariantCulture, $"nested deeper than {depth} levels")) : new(null, BodyFault.NotJson, broken.Message);
        }
    }

    // Only for bodies that were refused: whether they are JSON all the same.
    private static bool IsDeep(byte[] bytes, int depth)
    {
        var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = int.MaxValue });
        var deepest = 0;
        try
        {
            while (reader.Read()) deepest = Math.Max(deepest, reader.CurrentDepth);
            return deepest >= depth;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    // Some editors and clients put a byte order mark before UTF-8; RFC 8259, section 8.1 lets a reader pass over it.
    private static ReadOnlySequence<byte> WithoutMark(ReadOnlySequence<byte> bytes)
    {
        var mark = Encoding.UTF8.Preamble;
        if (bytes.Length < mark.Length) return bytes;
        Span<byte> first = stackalloc byte[3];
        bytes.Slice(0, mark.Length).CopyTo(first);
        return first.SequenceEqual(mark) ? bytes.Slice(mark.Length) : bytes;
    }

    private static bool IsBlank(ReadOnlySequence<byte> bytes)
    {
        foreach (var segment in bytes)
        {
            foreach (var value in segment.Span)
            {
                if (value is not ((byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')) return false;
            }
        }

        return true;
    }

    private static JsonBody TooLarge(int maxBytes) => new(null, BodyFault.TooLarge, $"the body is larger than {maxBytes} bytes");

    public void Dispose() => document?.Dispose();
}
