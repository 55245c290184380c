using System.Runtime.InteropServices;
using System.Text.Json;

namespace Broker.Api;

/// <summary>Progress that a worker sends with a heartbeat: any JSON, kept as it is.</summary>
internal static class Progress
{
    /// <summary>UTF-8 bytes, at most.</summary>
    public const int MostBytes = 64 << 10;

    /// <summary>The raw text; null, with a problem, when it is too large.</summary>
    public static string? Read(JsonElement given, string path, Action<string, string> problem)
    {
        if (JsonMarshal.GetRawUtf8Value(given).Length <= MostBytes) return given.GetRawText();
        problem(path, $"expected at most {MostBytes} bytes of JSON");
        return null;
    }
}
