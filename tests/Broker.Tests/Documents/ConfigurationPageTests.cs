using System.Globalization;
using System.Text.RegularExpressions;
using Broker.Auth;
using Broker.Settings;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace Broker.Tests.Documents;

/// <summary>Holds docs/configuration.md against the readers of settings: each key and each default.</summary>
public sealed partial class ConfigurationPageTests
{
    private static readonly IReadOnlyList<Row> Rows =
    [
        .. RowLine().Matches(new Page("docs/configuration.md").Text)
            .Select(row => new Row(row.Groups["variable"].Value, row.Groups["key"].Value, row.Groups["default"].Value)),
    ];

    private sealed record Row(string Variable, string Key, string Default);

    [Fact]
    public void The_page_lists_each_key_that_a_reader_asks_for_once()
    {
        var keys = new ReadKeys(new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create("Broker:Auth:Keys:0:Id", (string?)"a")]).Build());
        _ = (SettingsReader.Read(keys), AuthSettingsReader.Read(keys));

        Assert.Equal(keys.Known.Order(StringComparer.Ordinal), Rows.Select(row => row.Key).Where(key => key.Length > 0).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_page_lists_each_variable_beside_its_key()
    {
        foreach (var row in Rows.Where(row => row is { Variable.Length: > 0, Key.Length: > 0 }))
        {
            var variable = SettingsReader.Read(new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create(row.Variable, (string?)Sample(row))]).Build());
            var key = SettingsReader.Read(new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create(row.Key, (string?)KeySample(row))]).Build());
            Assert.True(variable.Message is null && key.Message is null, $"{row.Variable}: {variable.Message ?? key.Message}");
            Assert.NotEqual(Value(new BrokerSettings(), row.Key), Value(variable.Settings, row.Key));
            Assert.Equal(Value(key.Settings, row.Key), Value(variable.Settings, row.Key));
        }
    }

    [Fact]
    public void The_page_states_the_default_of_each_setting()
    {
        foreach (var row in Rows.Where(row => row.Key.Length > 0 && !row.Key.StartsWith("Broker:Auth:Keys", StringComparison.Ordinal)))
        {
            var value = row.Key.StartsWith("Broker:Auth:", StringComparison.Ordinal) ? Value(new AuthSettings(), row.Key.Replace("Auth:", "", StringComparison.Ordinal)) : Value(new BrokerSettings(), row.Key);

            // Text says what the absence of a value means.
            if (value is null or IReadOnlyCollection<string> { Count: 0 }) Assert.False(row.Default.Any(char.IsAsciiDigit), row.Key);
            else Assert.Equal((row.Key, Text(value)), (row.Key, row.Default.Split(':')[0]));
        }
    }

    private static string Sample(Row row) => row.Key switch
    {
        "Broker:Port" => "4001",
        "Broker:Host" => "0.0.0.0",
        "Broker:DatabaseUrl" => "sqlite:a.db",
        "Broker:CorsOrigins" => "https://a.example",
        "Broker:ApiOnly" => "true",
        "Broker:ReapInterval" => "7",
        _ => "text",
    };

    private static string KeySample(Row row) => row.Key is "Broker:ReapInterval" ? "00:00:07" : Sample(row);

    private static object? Value(object settings, string key)
    {
        var value = settings;
        foreach (var name in key.Split(':').Skip(1)) value = value!.GetType().GetProperty(name)!.GetValue(value);
        return value is IEnumerable<string> list ? string.Join(',', list) is { Length: > 0 } text ? text : null : value;
    }

    private static string Text(object value) => value switch
    {
        bool flag => flag ? "true" : "false",
        int number when number > 0 && number % (1024 * 1024) == 0 => Invariant($"{number / (1024 * 1024)} MiB"),
        int number when number > 0 && number % 1024 == 0 => Invariant($"{number / 1024} KiB"),
        int number => Invariant($"{number}"),
        TimeSpan time when time > TimeSpan.Zero && time.Ticks % TimeSpan.TicksPerDay == 0 => Invariant($"{time.TotalDays} d"),
        TimeSpan time when time > TimeSpan.Zero && time.Ticks % TimeSpan.TicksPerHour == 0 => Invariant($"{time.TotalHours} h"),
        TimeSpan time => Invariant($"{time.TotalSeconds} s"),
        _ => $"`{value}`",
    };

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^\| (?:`(?<variable>[A-Z_]+)`)? ?\| (?:`(?<key>Broker:[\w:]+)`)? ?\| (?<default>.*?) ?\| ", RegexOptions.Multiline)]
    private static partial Regex RowLine();
}
