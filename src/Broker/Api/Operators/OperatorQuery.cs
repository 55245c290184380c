using System.Globalization;
using Broker.OpenApi;
using Broker.Operators;

namespace Broker.Api.Operators;

/// <summary>Reads the query of a request. The route's metadata names its parameters: see <see cref="Check"/>.</summary>
internal readonly struct OperatorQuery(HttpRequest request)
{
    /// <summary>Refuses parameters that the route does not take, and those that are given twice.</summary>
    public void Check(IReadOnlyList<QueryParameter> known)
    {
        foreach (var (name, values) in request.Query)
        {
            if (!known.Any(parameter => parameter.Name == name))
            {
                var expected = known.Count == 0 ? "this route takes none" : $"expected one of {string.Join(", ", known.Select(parameter => parameter.Name))}";
                throw new OperatorException(StatusCodes.Status400BadRequest, "unknown_parameter", $"{name}: {expected}", $"query.{name}");
            }

            if (values.Count > 1) throw OperatorException.BadParameter(name, "expected once; separate several values by commas");
        }
    }

    /// <summary>Null when it is not given.</summary>
    public string? Text(string name) => request.Query[name] is [{ } text] ? text : null;

    public int Number(string name, int usual, int least, int most)
    {
        if (Text(name) is not { } text) return usual;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw OperatorException.BadParameter(name, $"expected an integer from {least} to {most}");
    }

    public int? OptionalNumber(string name, int most) => Text(name) is null ? null : Number(name, 0, 0, most);

    /// <summary>Null when it is not given.</summary>
    public long? Id(string name)
    {
        if (Text(name) is not { } text) return null;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : throw OperatorException.BadParameter(name, "expected an id: an integer of 0 or more");
    }

    /// <summary>Values between commas; empty when it is not given.</summary>
    public IReadOnlyList<string> List(string name)
    {
        if (Text(name) is not { } text) return [];
        var values = text.Split(',');
        return values.Contains("") || values.Length > 100 ? throw OperatorException.BadParameter(name, "expected 1 to 100 values, separated by commas") : values;
    }

    public IReadOnlyList<string> Words(string name, IReadOnlyList<string> words)
    {
        var values = List(name);
        return values.All(words.Contains) ? values : throw OperatorException.BadParameter(name, $"expected any of {string.Join(", ", words)}, separated by commas");
    }

    public string Word(string name, string usual, params ReadOnlySpan<string> words)
    {
        if (Text(name) is not { } text) return usual;
        return words.Contains(text) ? text : throw OperatorException.BadParameter(name, $"expected {string.Join(" or ", words!)}");
    }

    public bool Flag(string name) => Word(name, "false", "true", "false") == "true";

    public int Limit(int most = Limits.LargestPage) => Number("limit", Limits.UsualPage, 1, most);

    public string? Cursor => Text("cursor");

    /// <summary>The choice with the page that the request asks for.</summary>
    public T Page<T>(T choice)
        where T : PagedQuery => (T)(choice with { Cursor = Cursor, Limit = Limit() });
}
