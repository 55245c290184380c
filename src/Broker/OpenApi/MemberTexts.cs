using System.Reflection;
using System.Xml.Linq;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Broker.OpenApi;

/// <summary>Doc comments of members of described types, from the files beside the assemblies.</summary>
internal sealed class MemberTexts
{
    private readonly Dictionary<string, XElement> members = new(StringComparer.Ordinal);

    /// <param name="assemblies">Each has its file.</param>
    public MemberTexts(params IEnumerable<Assembly> assemblies)
    {
        foreach (var assembly in assemblies)
        {
            foreach (var member in XDocument.Load(Path.Combine(AppContext.BaseDirectory, $"{assembly.GetName().Name}.xml")).Descendants("member"))
                if (member.Attribute("name")?.Value is { } name) members[name] = member;
        }
    }

    /// <summary>Text of a property: its own, or that of the record's parameter.</summary>
    public string? Of(PropertyInfo property)
    {
        var type = property.DeclaringType!.IsGenericType ? property.DeclaringType.GetGenericTypeDefinition() : property.DeclaringType;
        var name = type.FullName!.Replace('+', '.');
        var own = members.GetValueOrDefault($"P:{name}.{property.Name}")?.Element("summary")
            ?? members.GetValueOrDefault($"T:{name}")?.Elements("param").FirstOrDefault(param => param.Attribute("name")?.Value == property.Name);
        return own is null ? null : XmlCommentsTextHelper.Humanize(string.Concat(own.Nodes()));
    }
}
