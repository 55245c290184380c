using System.Globalization;
using Broker.Operators;
using Broker.Operators.Where;
using Microsoft.AspNetCore.Http;

namespace Broker.Ui.Routing;

/// <summary>Parameters of a page. A page ignores parameters that it does not know, so that old links keep their sense.</summary>
/// <param name="request">The request.</param>
internal readonly struct PageQuery(HttpRequest request)
{
    public string? Text(string name) => request.Query[name].ToString() is { Length: > 0 } text ? text : null;

    public int? Number(string name) => int.TryParse(Text(name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    public long? Long(string name) => long.TryParse(Text(name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>The word, if it is one of these; else the first of them.</summary>
    public string Word(string name, params ReadOnlySpan<string> words)
    {
        var text = Text(name);
        foreach (var word in words)
        {
            if (word == text) return word;
        }

        return words[0];
    }

    /// <summary>Value of a segment of the path.</summary>
    public string Segment(string name) => (string)request.RouteValues[name]!;

    /// <summary>The run that the path and <c>run</c> name.</summary>
    public RunAddress Run => new(Segment("workflow"), Segment("instance"), Number("run"));

    /// <summary>The expression; a fault in it stands beside the field.</summary>
    public WhereExpression Where(out WhereError? error) => WhereExpression.TryParse(Text("where"), out var where, out error) ? where : WhereExpression.All;
}
