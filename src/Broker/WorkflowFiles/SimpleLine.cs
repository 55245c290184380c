using System.Buffers;

namespace Broker.WorkflowFiles;

/// <summary>
/// Test for shell text that can be joined with <c>&amp;&amp;</c> as it is: one line of simple commands, pipes and <c>&amp;&amp;</c>.
/// Doubt counts against the text, since <c>eval '…'</c> runs any text with the same effect.
/// </summary>
internal sealed class SimpleLine
{
    /// <summary>Words that open or close a compound command where a command may begin: the shell would read on for their partner.</summary>
    private static readonly HashSet<string> Reserved = new(StringComparer.Ordinal)
    {
        "if", "then", "else", "elif", "fi", "do", "done", "case", "esac", "while", "until", "for", "in", "function", "select", "time", "coproc", "{", "}", "[[", "]]",
    };

    private static readonly SearchValues<char> NotPlain = SearchValues.Create("'\"`\\${ \n\r");

    private readonly string text;
    private int at;

    private SimpleLine(string text) => this.text = text;

    public static bool Is(string text) => new SimpleLine(text).Read();

    private bool Read()
    {
        // Where a command may begin, and where a redirection waits for its file.
        var (begins, redirects, negated) = (true, false, false);
        while (true)
        {
            while (Next is ' ' or '\t') at++;
            switch (Next)
            {
                case '\0':
                    return at == text.Length && !begins && !redirects;
                case '&' when Peek(1) == '&':
                case '|' when Peek(1) is not ('|' or '&'):
                    if (begins || redirects) return false;
                    at += Next == '&' ? 2 : 1;
                    (begins, negated) = (true, false);
                    break;
                case '<' or '>':
                    if (redirects || !Redirection()) return false;
                    redirects = true;
                    break;
                case '#' or ';' or '&' or '|' or '(' or ')':
                    return false;
                default:
                    var start = at;
                    if (!Word()) return false;
                    if (begins && !redirects && Reserved.Contains(text[start..at])) return false;

                    // The file of one redirection would be taken for the descriptor of the next, as in 2>&1>file: the whole line is then no command.
                    if (redirects && Next is '<' or '>') return false;

                    // A word right before < or > may be its descriptor, and "!" is followed by the command that it negates, once.
                    var negates = begins && !redirects && text[start..at] == "!";
                    if (negates && negated) return false;
                    (begins, redirects, negated) = (negates, false, negates);
                    break;
            }
        }
    }

    // < > >> <> >| >& <&; a here-document takes the lines below.
    private bool Redirection()
    {
        if (Next == '<' && Peek(1) == '<') return false;
        var clobbers = Next == '>' && Peek(1) == '|';
        at++;
        if (Next is '>' or '&' || clobbers) at++;
        return true;
    }

    private bool Word()
    {
        while (true)
        {
            switch (Next)
            {
                case '\0':
                    return at == text.Length;
                case ' ' or '\t' or '&' or '|' or ';' or '<' or '>' or '(' or ')':
                    return Next is not '(';
                case '\\':
                    at++;
                    if (IsControl(Next)) return false;
                    at++;
                    break;
                case '\'':
                    if (!SingleQuoted()) return false;
                    break;
                case '"':
                    if (!DoubleQuoted()) return false;
                    break;
                case '$':
                    if (!Parameter()) return false;
                    break;
                case '`':
                    return false;
                default:
                    if (IsControl(Next)) return false;
                    at++;
                    break;
            }
        }
    }

    private bool SingleQuoted()
    {
        var end = text.IndexOf('\'', at + 1);
        if (end < 0 || text.AsSpan(at, end - at).ContainsAny('\n', '\r')) return false;
        at = end + 1;
        return true;
    }

    private bool DoubleQuoted()
    {
        at++;
        while (Next != '"')
        {
            switch (Next)
            {
                case '`':
                    return false;
                case '$':
                    if (!Parameter()) return false;
                    break;
                case '\\':
                    at++;
                    if (IsControl(Next)) return false;
                    at++;
                    break;
                default:
                    if (IsControl(Next)) return false;
                    at++;
                    break;
            }
        }

        at++;
        return true;
    }

    // $NAME, $1, $?, a $ alone, and ${…} of plain characters. Substitutions hold commands, so they are not looked into.
    private bool Parameter()
    {
        at++;
        if (Next is '(' or '\'' or '"') return false;
        if (Next is not '{') return true;
        var end = text.IndexOf('}', at);
        if (end < 0 || text.AsSpan(at + 1, end - at - 1).ContainsAny(NotPlain)) return false;
        at = end + 1;
        return true;
    }

    private char Next => Peek(0);

    private char Peek(int ahead) => at + ahead < text.Length ? text[at + ahead] : '\0';

    private static bool IsControl(char letter) => letter < ' ' && letter != '\t';
}
