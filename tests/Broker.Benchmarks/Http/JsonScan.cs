using System.Text.Json;

namespace Broker.Benchmarks.Http;

/// <summary>Takes single values out of an answer without reading it into objects.</summary>
internal static class JsonScan
{
    /// <summary>The first string under this name at any depth; null when there is none.</summary>
    public static string? First(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name)
    {
        var reader = new Utf8JsonReader(json);
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals(name) && reader.Read() && reader.TokenType == JsonTokenType.String)
            {
                return reader.GetString();
            }
        }

        return null;
    }

    /// <summary>The lease ids that were granted: those of the leases, not those of an answer's "results".</summary>
    public static List<string> GrantedLeases(ReadOnlySpan<byte> json)
    {
        List<string> leases = [];
        var reader = new Utf8JsonReader(json);
        while (reader.Read())
        {
            if (reader.TokenType != JsonTokenType.PropertyName) continue;

            if (reader.CurrentDepth == 1 && reader.ValueTextEquals("results"u8)) reader.Skip();
            else if (reader.ValueTextEquals("lease_id"u8) && reader.Read()) leases.Add(reader.GetString()!);
        }

        return leases;
    }
}
