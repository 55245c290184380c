using System.Text.RegularExpressions;
using Broker.Testing;
using YamlDotNet.RepresentationModel;

namespace Broker.Tests.Operations;

/// <summary>An alert of the shipped rules.</summary>
internal sealed partial record PrometheusRules(string Alert, string Expression, string? For, IReadOnlyDictionary<string, string> Labels, IReadOnlyDictionary<string, string> Annotations)
{
    public const string File = "docs/prometheus-rules.yml";

    /// <summary>Names of metrics in the expression.</summary>
    public IReadOnlyList<string> Metrics => [.. Metric.Matches(Expression).Select(match => match.Value)];

    public static IReadOnlyList<PrometheusRules> Read()
    {
        var yaml = new YamlStream();
        using var text = System.IO.File.OpenText(Path.Combine(RepositoryLayout.Root, File));
        yaml.Load(text);
        var root = Members(yaml.Documents.Single().RootNode, "groups");
        return [.. ((YamlSequenceNode)root["groups"]).SelectMany(group => (YamlSequenceNode)Members(group, "name", "rules")["rules"]).Select(Of)];
    }

    private static PrometheusRules Of(YamlNode rule)
    {
        var members = Members(rule, "alert", "expr", "for", "labels", "annotations");
        return new(
            members["alert"].ToString(), members["expr"].ToString(), members.GetValueOrDefault("for")?.ToString(), Texts(members["labels"]), Texts(members["annotations"]));
    }

    private static Dictionary<string, YamlNode> Members(YamlNode node, params string[] known)
    {
        var members = ((YamlMappingNode)node).Children.ToDictionary(member => member.Key.ToString(), member => member.Value);
        Xunit.Assert.Empty(members.Keys.Except(known));
        return members;
    }

    private static Dictionary<string, string> Texts(YamlNode node) => ((YamlMappingNode)node).Children.ToDictionary(member => member.Key.ToString(), member => member.Value.ToString());

    [GeneratedRegex("""broker_[a-z_]+""")]
    private static partial Regex Metric { get; }
}
