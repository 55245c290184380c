using System.Text.RegularExpressions;
using Xunit;

namespace Broker.Tests.Operations;

/// <summary>The form of the shipped rules. <see cref="MetricsSuite"/> compares their metrics with a scrape.</summary>
public sealed partial class PrometheusRulesTests
{
    public static TheoryData<string> Alerts() => [.. PrometheusRules.Read().Select(rule => rule.Alert)];

    [Fact]
    public void Each_alert_has_a_name_of_its_own() => Assert.Distinct(PrometheusRules.Read().Select(rule => rule.Alert));

    [Theory]
    [MemberData(nameof(Alerts))]
    public void An_alert_has_a_form_that_Prometheus_reads(string alert)
    {
        var rule = PrometheusRules.Read().Single(rule => rule.Alert == alert);
        Assert.Matches("^[A-Za-z_][A-Za-z0-9_]*$", rule.Alert);
        Assert.Matches("^[0-9]+[smh]$", rule.For ?? "1m");
        Assert.Contains(rule.Labels["severity"], (string[])["warning", "critical"]);
        Assert.NotEmpty(rule.Annotations["summary"]);

        // One comparison of one aggregate of one metric.
        var parts = Expression.Match(rule.Expression);
        Assert.True(parts.Success, rule.Expression);
        var labels = parts.Groups["by"].Value.Split(", ", StringSplitOptions.RemoveEmptyEntries);
        foreach (var text in rule.Annotations.Values)
        {
            Assert.Equal(Count(text, "{{"), Count(text, "}}"));
            Assert.All(Label.Matches(text).Select(match => match.Groups["name"].Value), name => Assert.Contains(name, labels));
        }
    }

    private static int Count(string text, string part) => text.Split(part).Length - 1;

    [GeneratedRegex("""^(sum|max)( by \((?<by>[a-z]+(, [a-z]+)*)\) )?\(((rate|increase)\(broker_[a-z_]+_total(\{[a-z]+="[a-z]+"\})?\[[0-9]+m\]\)|broker_[a-z_]+)\) (>|>=) [0-9]+$""")]
    private static partial Regex Expression { get; }

    [GeneratedRegex("""\$labels\.(?<name>[a-z]+)""")]
    private static partial Regex Label { get; }
}
