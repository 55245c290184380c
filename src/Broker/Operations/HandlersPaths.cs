namespace Broker.Operations;

/// <summary>Which paths the handlers dialect has: its clients expect plain text and credentials where others do not.</summary>
internal static class HandlersPaths
{
    public static bool Has(PathString path)
    {
        var rest = path.Value.AsSpan().TrimStart('/');
        var end = rest.IndexOf('/');
        return (end < 0 ? rest : rest[..end]) is "workflows" or "handlers" or "events" or "results" or "agents" or "health";
    }
}
