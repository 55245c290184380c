using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Json;
using Broker.Http;
using Broker.Settings;

namespace Broker.Api.JobsDialect;

/// <summary>Reader of request members. Places are paths of members: <c>claim.worker_id</c>.</summary>
internal sealed class JobsReader(LimitSettings limits) : BodyReader(limits)
{
    /// <summary>False, with a problem, for anything but an object.</summary>
    public bool IsObject(JsonElement value, string path)
    {
        if (value.ValueKind is JsonValueKind.Object) return true;
        Add(path, $"expected an object, got {JsonText.KindOf(value)}");
        return false;
    }

    /// <summary>Text that can be stored; empty, with a problem, when it is missing or something else.</summary>
    public string Text(JsonElement owner, string member, string path, bool required = true) =>
        Given(owner, member, path, required, out var value) ? TextOf(value, Join(path, member)) : "";

    /// <summary>Text of 1 to <see cref="JobIds.MaxLength"/> characters.</summary>
    public string Name(JsonElement owner, string member, string path, bool required = true)
    {
        var text = Text(owner, member, path, required);
        if (text.Length is > 0 and <= JobIds.MaxLength) return text;
        if (text.Length > 0 || (Has(owner, member) && !HasProblem(Join(path, member))))
            Add(Join(path, member), $"expected 1 to {JobIds.MaxLength} characters");
        return "";
    }

    /// <summary>A name that stands in paths.</summary>
    public string Id(JsonElement owner, string member, string path)
    {
        var id = Name(owner, member, path);
        if (!PathNames.Fits(id)) Add(Join(path, member), PathNames.Message);
        return id;
    }

    public IReadOnlyList<string> Names(JsonElement owner, string member, string path, bool required)
    {
        if (!Given(owner, member, path, required, out var value)) return [];
        var at = Join(path, member);
        if (value.ValueKind is not JsonValueKind.Array)
        {
            Add(at, $"expected an array of strings, got {JsonText.KindOf(value)}");
            return [];
        }

        var count = value.GetArrayLength();
        if (count == 0) return [];
        var names = new List<string>(count);
        foreach (var item in value.EnumerateArray())
        {
            if (item.ValueKind is not JsonValueKind.String)
            {
                Add(at, $"expected an array of strings, got {JsonText.KindOf(item)} in it");
                break;
            }

            var name = JsonText.StringOf(item);
            if (name.Length <= JobIds.MaxLength && StorableText.Fits(name))
            {
                names.Add(name);
            }
            else
            {
                Add(at, $"holds a string of more than {JobIds.MaxLength} characters, with a NUL character or half of a surrogate pair");
                break;
            }
        }

        return names;
    }

    /// <summary>An integer written as one; <paramref name="fallback"/> when it is missing.</summary>
    public long Integer(JsonElement owner, string member, string path, long least, long most, long? fallback = null)
    {
        if (!Given(owner, member, path, fallback is null, out var value)) return fallback ?? least;
        if (value.ValueKind is JsonValueKind.Number && value.TryGetInt64(out var number) && number >= least && number <= most) return number;
        Add(Join(path, member), $"expected an integer from {least} to {most}");
        return least;
    }

    public bool Boolean(JsonElement owner, string member, string path, bool fallback)
    {
        if (!Given(owner, member, path, required: false, out var value)) return fallback;
        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False) return value.ValueKind is JsonValueKind.True;
        Add(Join(path, member), $"expected a boolean, got {JsonText.KindOf(value)}");
        return fallback;
    }

    /// <summary>A member of one of the kinds, or undefined: absent or null where it is optional, or, with a problem, something else.</summary>
    public JsonElement Value(JsonElement owner, string member, string path, JsonValueKind kind, bool required = false)
    {
        if (!Given(owner, member, path, required, out var value)) return default;
        if (value.ValueKind == kind) return value;
        Add(Join(path, member), $"expected {JsonText.KindOf(kind)}, got {JsonText.KindOf(value)}");
        return default;
    }

    public static bool Has(JsonElement owner, string member) =>
        TryFind(owner, member, out var value) is true && value.ValueKind is not JsonValueKind.Null;

    private bool Given(JsonElement owner, string member, string path, bool required, out JsonElement value)
    {
        var found = TryFind(owner, member, out value);
        if (found is true && value.ValueKind is not JsonValueKind.Null) return true;
        if (found is null && !HasProblem(path)) Add(path, "has a member whose name holds half of a surrogate pair");
        if (found is not null && required) Add(Join(path, member), "is required");
        return false;
    }

    /// <summary>Null for an object with a name that is no text: the framework's look-up throws when it meets one.</summary>
    private static bool? TryFind(JsonElement owner, string member, out JsonElement value)
    {
        try
        {
            return owner.TryGetProperty(member, out value);
        }
        catch (InvalidOperationException)
        {
            value = default;
            return null;
        }
    }

    protected override Task RefuseAsync(HttpContext http, JsonBody body) => JobsErrors.BadBodyAsync(http.Response, body);

    protected override Task RefuseAsync(HttpContext http) => JobsErrors.WrongShapeAsync(http.Response, Problems);

    public static string Join(string path, string member) => path.Length == 0 ? member : $"{path}.{member}";
}
