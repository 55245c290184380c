using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Broker.Operators;
using Spectre.Console;

namespace Broker.Cli;

/// <summary>Form of the output.</summary>
internal enum OutputForm
{
    /// <summary>Columns for people.</summary>
    Table,

    /// <summary>More columns.</summary>
    Wide,

    /// <summary>One JSON document.</summary>
    Json,

    /// <summary>A JSON document for each item.</summary>
    JsonLines,

    /// <summary>One YAML document.</summary>
    Yaml,

    /// <summary>The name of each item, as other commands take it.</summary>
    Name,
}

/// <summary>A column of a table. Wide ones are shown with <c>-o wide</c> alone.</summary>
internal sealed record Column<T>(string Title, Func<T, string?> Value, bool IsWide = false);

/// <summary>Writes items in the chosen form. Data goes to standard output, and nothing else does.</summary>
internal sealed class Printer(TextWriter output, OutputForm form, bool usesColour, IReadOnlyList<string>? chosen = null)
{
    public OutputForm Form => form;

    public bool IsForPeople => form is OutputForm.Table or OutputForm.Wide;

    public void Items<T>(IReadOnlyList<T> items, JsonTypeInfo<T> type, Func<T, string> name, params ReadOnlySpan<Column<T>> columns)
    {
        switch (form)
        {
            case OutputForm.Json:
                output.WriteLine($"[{string.Join(',', items.Select(item => JsonSerializer.Serialize(item, type)))}]");
                break;
            case OutputForm.JsonLines:
                foreach (var item in items) output.WriteLine(JsonSerializer.Serialize(item, type));
                break;
            case OutputForm.Yaml:
                output.Write(YamlText.Of($"[{string.Join(',', items.Select(item => JsonSerializer.Serialize(item, type)))}]"));
                break;
            case OutputForm.Name:
                foreach (var item in items) output.WriteLine(name(item));
                break;
            case OutputForm.Table or OutputForm.Wide:
                Table(items, columns);
                break;
        }
    }

    public void One<T>(T item, JsonTypeInfo<T> type, Func<T, string> name, Action<T> show)
    {
        if (form is OutputForm.Json or OutputForm.JsonLines) output.WriteLine(JsonSerializer.Serialize(item, type));
        else if (form is OutputForm.Yaml) output.Write(YamlText.Of(JsonSerializer.Serialize(item, type)));
        else if (form is OutputForm.Name) output.WriteLine(name(item));
        else show(item);
    }

    public void Line(string text) => output.WriteLine(text);

    private void Table<T>(IReadOnlyList<T> items, ReadOnlySpan<Column<T>> columns)
    {
        var table = new Table().NoBorder().HideFooters();
        var shown = Shown(columns);
        foreach (var column in shown) table.AddColumn(new TableColumn(new Text(column.Title, new Style(decoration: Decoration.Bold))).NoWrap().PadLeft(0).PadRight(2));

        foreach (var item in items) table.AddRow(shown.Select(column => new Text(column.Value(item) ?? "-")));
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = usesColour ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = usesColour ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Out = new WideOutput(output),
        });
        console.Write(table);
    }

    private List<Column<T>> Shown<T>(ReadOnlySpan<Column<T>> columns)
    {
        var all = columns.ToArray();
        if (chosen is null) return [.. all.Where(column => !column.IsWide || form is OutputForm.Wide)];
        return [.. chosen.Select(name => Array.Find(all, column => column.Title.Equals(name, StringComparison.OrdinalIgnoreCase))
            ?? throw new CliException(ExitCodes.Usage, $"--columns: there is no column '{name}'; expected any of {string.Join(", ", all.Select(column => column.Title))}"))];
    }

    /// <summary>A row is a line, however narrow the terminal: a terminal wraps it, and programs read it.</summary>
    private sealed class WideOutput(TextWriter writer) : IAnsiConsoleOutput
    {
        public TextWriter Writer => writer;
        public bool IsTerminal => false;
        public int Width => 10_000;
        public int Height => 100;

        public void SetEncoding(System.Text.Encoding encoding)
        {
        }
    }
}

/// <summary>Texts of table cells.</summary>
internal static class Cells
{
    public static string Time(DateTimeOffset? at) => at is { } known ? known.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture) : "-";

    public static string Span(long? milliseconds) => milliseconds is not { } ms ? "-" : TimeSpan.FromMilliseconds(ms) switch
    {
        { TotalSeconds: < 1 } => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{ms} ms"),
        { TotalMinutes: < 1 } span => span.TotalSeconds.ToString("0.0' s'", System.Globalization.CultureInfo.InvariantCulture),
        { TotalHours: < 1 } span => span.ToString("m'm 's's'", System.Globalization.CultureInfo.InvariantCulture),
        { TotalDays: < 1 } span => span.ToString("h'h 'm'm'", System.Globalization.CultureInfo.InvariantCulture),
        var span => span.ToString("d'd 'h'h'", System.Globalization.CultureInfo.InvariantCulture),
    };

    public static string Short(string? text, int most = 80)
    {
        var line = (text ?? "").ReplaceLineEndings(" ");
        return line.Length <= most ? line : string.Concat(line.AsSpan(0, most - 1), "…");
    }

    public static string TextOf(RunLogLine line) => JsonElement.Parse(line.Text.Text) is { ValueKind: JsonValueKind.String } text ? text.GetString()!.TrimEnd('\r', '\n') : line.Text.Text;

    public static string Error(RunError? error) => error is null ? "-" : Short(error.Step is null ? error.Message : $"{error.Step}: {error.Message}");
}
