using System.Text;

namespace Broker.Ui.Parts;

/// <summary>A piece of JSON text with its kind: name, string, number, word or text.</summary>
internal readonly record struct JsonToken(string Kind, string Text);

/// <summary>Sets JSON text in lines, token by token, without reading the values: a number of 40 digits stays one.</summary>
internal static class JsonTokens
{
    public static IEnumerable<JsonToken> Of(string json)
    {
        var depth = 0;
        var plain = new StringBuilder();
        for (var i = 0; i < json.Length; i++)
        {
            var c = json[i];
            if (char.IsWhiteSpace(c)) continue;
            if (c is '{' or '[')
            {
                var close = Next(json, i + 1);
                if (close < json.Length && json[close] is '}' or ']')
                {
                    plain.Append(c).Append(json[close]);
                    i = close;
                    continue;
                }

                plain.Append(c);
                Line(plain, ++depth);
            }
            else if (c is '}' or ']')
            {
                Line(plain, --depth);
                plain.Append(c);
            }
            else if (c is ',')
            {
                plain.Append(c);
                Line(plain, depth);
            }
            else if (c is ':')
            {
                plain.Append(": ");
            }
            else
            {
                var end = c is '"' ? EndOfString(json, i) : EndOfWord(json, i);
                if (plain.Length > 0) yield return new("text", plain.ToString());
                plain.Clear();
                yield return new(KindOf(json, c, end), json[i..end]);
                i = end - 1;
            }
        }

        if (plain.Length > 0) yield return new("text", plain.ToString());
    }

    private static string KindOf(string json, char first, int end)
    {
        if (first is not '"') return char.IsAsciiDigit(first) || first is '-' ? "number" : "word";
        var next = Next(json, end);
        return next < json.Length && json[next] is ':' ? "name" : "string";
    }

    private static void Line(StringBuilder text, int depth) => text.Append('\n').Append(' ', Math.Max(0, depth) * 2);

    private static int Next(string json, int from)
    {
        while (from < json.Length && char.IsWhiteSpace(json[from])) from++;
        return from;
    }

    private static int EndOfString(string json, int from)
    {
        for (var i = from + 1; i < json.Length; i++)
        {
            if (json[i] is '\\') i++;
            else if (json[i] is '"') return i + 1;
        }

        return json.Length;
    }

    private static int EndOfWord(string json, int from)
    {
        var end = from;
        while (end < json.Length && json[end] is not (',' or '}' or ']' or ':') && !char.IsWhiteSpace(json[end])) end++;
        return end;
    }
}
