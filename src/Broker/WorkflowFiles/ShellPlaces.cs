namespace Broker.WorkflowFiles;

/// <summary>Place of a variable in shell text.</summary>
internal enum ShellPlace
{
    Plain,
    Double,
    Here,
    Comment,
    Single,
    QuotedHere,
    Backtick,
    Arithmetic,
    Escaped,
}

/// <summary>
/// Scanner of shell text that finds in which quotes each mark stands. A wrong guess breaks a command and lets no value become shell text:
/// a mark is always replaced by an expansion.
/// </summary>
internal sealed class ShellPlaces
{
    private enum Frame
    {
        /// <summary>Commands: the text itself, and what is within <c>$( )</c> or <c>( )</c>.</summary>
        Commands,
        Double,

        /// <summary><c>${ }</c></summary>
        Brace,

        /// <summary><c>${ }</c> in double quotes.</summary>
        QuotedBrace,
        Arithmetic,
        Backtick,
    }

    private readonly string text;
    private readonly char mark;
    private readonly List<ShellPlace> places = [];
    private readonly Stack<Frame> frames = new([Frame.Commands]);
    private readonly Queue<(string End, bool IsQuoted, bool StripsTabs)> pending = new();
    private int at;

    // Counted, not looked up: a hostile text nests them hundred thousand deep.
    private int backticks;
    private int arithmetics;

    private ShellPlaces(string text, char mark) => (this.text, this.mark) = (text, mark);

    public static IReadOnlyList<ShellPlace> Of(string text, char mark)
    {
        var scanner = new ShellPlaces(text, mark);
        while (scanner.at < text.Length) scanner.Step();
        return scanner.places;
    }

    private bool IsDouble => frames.Peek() is Frame.Double or Frame.QuotedBrace;

    private void Step()
    {
        var letter = text[at++];
        if (letter == mark)
        {
            places.Add(
                backticks > 0 ? ShellPlace.Backtick
                : arithmetics > 0 ? ShellPlace.Arithmetic
                : IsDouble ? ShellPlace.Double
                : ShellPlace.Plain);
            return;
        }

        switch (letter)
        {
            case '\\':
                if (at < text.Length && text[at] == mark) places.Add(ShellPlace.Escaped);
                at++;
                break;
            case '$':
                Dollar();
                break;
            case '`':
                if (frames.Peek() is Frame.Backtick) Close(ref backticks);
                else Open(Frame.Backtick, ref backticks);
                break;
            case '"':
                if (frames.Peek() is Frame.Double) frames.Pop();
                else frames.Push(Frame.Double);
                break;
            case '}' when frames.Peek() is Frame.Brace or Frame.QuotedBrace:
                frames.Pop();
                break;
            case ')' when frames.Peek() is Frame.Arithmetic && Next == ')':
                at++;
                Close(ref arithmetics);
                break;
            case '\'' when !IsDouble:
                Until('\'', ShellPlace.Single, escapes: at >= 2 && text[at - 2] == '$');
                break;
            default:
                if (frames.Peek() is Frame.Commands) Command(letter);
                break;
        }
    }

    private void Command(char letter)
    {
        switch (letter)
        {
            case '(':
                frames.Push(Frame.Commands);
                break;
            case ')' when frames.Count > 1:
                frames.Pop();
                break;
            case '#' when at == 1 || text[at - 2] is ' ' or '\t' or '\n' or ';' or '&' or '|' or '(' or ')':
                while (at < text.Length && text[at] != '\n') Mark(ShellPlace.Comment);
                break;
            case '<' when Next == '<':
                at++;
                if (Next == '<') at++;
                else HereDocument();
                break;
            case '\n':
                while (pending.TryDequeue(out var document)) Body(document.End, document.IsQuoted, document.StripsTabs);
                break;
        }
    }

    private void Dollar()
    {
        if (Next == '{')
        {
            at++;
            frames.Push(IsDouble ? Frame.QuotedBrace : Frame.Brace);
        }
        else if (Next == '(')
        {
            at++;
            if (Next != '(')
            {
                frames.Push(Frame.Commands);
                return;
            }

            at++;
            Open(Frame.Arithmetic, ref arithmetics);
        }
    }

    private void Open(Frame frame, ref int count)
    {
        frames.Push(frame);
        count++;
    }

    private void Close(ref int count)
    {
        frames.Pop();
        count--;
    }

    // The end mark's quotes say that nothing is expanded in the document.
    private void HereDocument()
    {
        var strips = Next == '-';
        if (strips) at++;
        while (Next is ' ' or '\t') at++;
        var start = at;
        var quoted = false;
        while (at < text.Length && text[at] is not (' ' or '\t' or '\n' or ';' or '&' or '|' or '<' or '>' or '(' or ')'))
        {
            quoted |= text[at] is '\'' or '"' or '\\';
            Mark(ShellPlace.QuotedHere);
        }

        pending.Enqueue((string.Concat(text[start..at].Where(letter => letter is not ('\'' or '"' or '\\'))), quoted, strips));
    }

    private void Body(string end, bool isQuoted, bool stripsTabs)
    {
        while (at < text.Length)
        {
            var stop = text.IndexOf('\n', at);
            var line = text[at..(stop < 0 ? text.Length : stop)];
            var last = (stripsTabs ? line.TrimStart('\t') : line) == end;
            for (var rest = line.Length; rest > 0; rest--) Mark(isQuoted ? ShellPlace.QuotedHere : ShellPlace.Here);
            at = Math.Min(at + 1, text.Length);
            if (last) return;
        }
    }

    private void Until(char end, ShellPlace place, bool escapes)
    {
        while (at < text.Length && text[at] != end)
        {
            if (escapes && text[at] == '\\') at++;
            if (at < text.Length) Mark(place);
        }

        at++;
    }

    private void Mark(ShellPlace place)
    {
        if (text[at++] == mark) places.Add(place);
    }

    private char Next => at < text.Length ? text[at] : '\u0001';
}
