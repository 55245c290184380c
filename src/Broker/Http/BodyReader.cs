using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Json;
using Broker.Settings;

namespace Broker.Http;

/// <summary>
/// Reads members of a JSON body and collects every problem with its place, for one answer. A dialect adds its style of places and its error answers.
/// </summary>
internal abstract class BodyReader(LimitSettings limits)
{
    /// <summary>Problems in one answer, at most.</summary>
    private const int MostShown = 50;

    private List<DefinitionProblem>? problems;

    public LimitSettings Limits => limits;

    public bool IsBroken => problems is not null;

    public IReadOnlyList<DefinitionProblem> Problems => problems ?? [];

    public void Add(string path, string message)
    {
        problems ??= [];
        if (problems.Count < MostShown) problems.Add(new(PlaceOf(path), message));
    }

    /// <summary>Text that can be stored; empty, with a problem, when it is something else.</summary>
    public string TextOf(JsonElement value, string path)
    {
        if (value.ValueKind is not JsonValueKind.String)
        {
            Add(path, $"expected a string, got {JsonText.KindOf(value)}");
            return "";
        }

        var text = JsonText.StringOf(value);
        if (StorableText.Fits(text)) return text;
        Add(path, Unstorable(text));
        return "";
    }

    /// <summary>Reads the body and sends the error answer for one that cannot be read, or that has problems. An optional body may be empty: the default value.</summary>
    public static async ValueTask<(bool IsRead, T? Value)> ReadAsync<TReader, T>(
        HttpContext http, BrokerSettings settings, TReader reader, Func<JsonElement, TReader, T> read, CancellationToken ct, DefinitionTurn? turn = null, bool isOptional = false)
        where TReader : BodyReader
    {
        using var body = await JsonBody.ReadAsync(http.Request, settings, ct, turn);
        if (isOptional && body.Fault is BodyFault.Empty) return (true, default);
        if (body.Fault is not BodyFault.None)
        {
            await reader.RefuseAsync(http, body);
            return (false, default);
        }

        var value = default(T);
        try
        {
            value = read(body.Root, reader);
        }
        catch (InvalidOperationException)
        {
            // JsonElement throws it for a member name, or raw text, that is no valid Unicode. A value that merely passes through
            // may hold lone surrogates as escapes; only what must be read as text comes here.
            reader.Add("", "holds text that is not valid Unicode");
        }

        if (!reader.IsBroken) return (true, value);
        await reader.RefuseAsync(http);
        return (false, default);
    }

    /// <summary>How the dialect writes a place.</summary>
    protected virtual string PlaceOf(string path) => path;

    /// <summary>Message about text that no column can hold.</summary>
    protected virtual string Unstorable(string text) => StorableText.Message;

    protected bool HasProblem(string path) => problems?.Exists(problem => problem.Path == path) ?? false;

    /// <summary>Error answer for a body that cannot be read.</summary>
    protected abstract Task RefuseAsync(HttpContext http, JsonBody body);

    /// <summary>Error answer for the problems.</summary>
    protected abstract Task RefuseAsync(HttpContext http);
}
