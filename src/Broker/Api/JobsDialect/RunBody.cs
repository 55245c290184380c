using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Json;
using Broker.Core.Runs;

namespace Broker.Api.JobsDialect;

/// <summary>Action of a start while a run of its instance is active.</summary>
internal enum IfActive
{
    /// <summary>The answer names the active run; another one with other inputs is a conflict.</summary>
    Join,

    /// <summary>A further instance is made, under an id of the broker.</summary>
    Start,

    /// <summary>A conflict.</summary>
    Reject,
}

/// <summary>The optional body of a start: an extension, so each member counts or is refused.</summary>
/// <param name="InputsJson">Raw JSON object; null when it is not given.</param>
/// <param name="Id">The instance; null: the one named like the workflow.</param>
/// <param name="IfActive">See there.</param>
internal sealed record RunBody(string? InputsJson, string? Id, IfActive IfActive)
{
    private const string AnId = "expected no control characters, none of / and ~, no number after a last dot, and neither . nor ..";
    private static readonly string[] Members = ["inputs", "id", "if_active", "tags", "priority", "start_at", "delay_ms", "run_ms"];

    /// <summary>Raw JSON object, or null.</summary>
    public string? TagsJson { get; init; }

    public StartOptions Options { get; init; } = StartOptions.None;

    public static readonly RunBody None = new(null, null, IfActive.Join);

    public static RunBody Read(JsonElement body, JobsReader reader)
    {
        if (!reader.IsObject(body, "")) return None;
        if (UnicodeCheck.Problem(body, "") is { } broken)
        {
            reader.Add(broken.Path, broken.Message);
            return None;
        }

        if (CanonicalJson.HasDuplicateKeys(body, out var twice))
        {
            reader.Add(twice[1..].Replace('/', '.'), "is there twice");
            return None;
        }

        foreach (var member in body.EnumerateObject().Where(member => !Members.Contains(member.Name)))
            reader.Add(member.Name, $"is not known; a start has {string.Join(", ", Members)}");
        var inputs = reader.Value(body, "inputs", "", JsonValueKind.Object);
        var id = JobsReader.Has(body, "id") ? reader.Name(body, "id", "") : null;
        if (id is { Length: > 0 } && !RunRef.MayBeChosen(id)) reader.Add("id", AnId);
        var active = ReadIfActive(body, reader);
        if (id is not null && active is IfActive.Start)
            reader.Add("if_active", "\"start\" makes an instance of its own while a run is active: leave out id, or use \"join\" or \"reject\"");
        return new(inputs.ValueKind is JsonValueKind.Object ? inputs.GetRawText() : null, id, active)
        {
            TagsJson = ReadTags(body, reader),
            Options = StartOptions.Read(name => JobsReader.Has(body, name) ? body.GetProperty(name) : null, StartOptionNames.Snake, reader.Add, takesMilliseconds: true),
        };
    }

    /// <summary>The start with what the request says of it.</summary>
    public StartRequest Of(StartRequest target) => Options.Of(target) with
    {
        InstanceId = Id ?? target.InstanceId,
        InputsJson = InputsJson ?? target.InputsJson,
        JoinsEqualInputs = InputsJson is not null && IfActive is IfActive.Join,
        TagsJson = TagsJson,
    };

    private static string? ReadTags(JsonElement body, JobsReader reader)
    {
        var tags = reader.Value(body, "tags", "", JsonValueKind.Object);
        if (tags.ValueKind is not JsonValueKind.Object) return null;
        if (RunTags.Problem(tags) is not var (name, message)) return tags.EnumerateObject().Any() ? tags.GetRawText() : null;
        reader.Add(name.Length == 0 ? "tags" : $"tags.{StorableText.Fitting(name)}", message);
        return null;
    }

    private static IfActive ReadIfActive(JsonElement body, JobsReader reader)
    {
        switch (JobsReader.Has(body, "if_active") ? reader.Text(body, "if_active", "") : "join")
        {
            case "join":
                return IfActive.Join;
            case "start":
                return IfActive.Start;
            case "reject":
                return IfActive.Reject;
            case var other:
                if (other.Length > 0 || !reader.IsBroken) reader.Add("if_active", $"is '{other}', expected join, start or reject");
                return IfActive.Join;
        }
    }
}
