using System.Text.Json.Nodes;
using Broker.Operators;
using Microsoft.AspNetCore.Http;

namespace Broker.Ui.Parts;

/// <summary>Tags as people write them: <c>name=value</c>, one a line. A line that ends behind the sign takes the tag away.</summary>
internal static class TagText
{
    public static RawJson Json(string text)
    {
        var tags = new JsonObject();
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var sign = line.IndexOf('=', StringComparison.Ordinal);
            if (sign <= 0) throw new OperatorException(StatusCodes.Status400BadRequest, "invalid_parameter", $"tags: expected name=value in '{line}'", "/tags");
            var value = line[(sign + 1)..].Trim();
            tags[line[..sign].Trim()] = value.Length == 0 ? null : value;
        }

        return new(tags.ToJsonString());
    }
}
