using System.Globalization;
using System.Text;

namespace Broker.Sdk;

/// <summary>Path and query of a request; names are escaped.</summary>
internal sealed class Address
{
    private const string Prefix = "api/v1";
    private readonly StringBuilder text = new(Prefix);
    private char separator = '?';

    public Address(params ReadOnlySpan<string> segments)
    {
        foreach (var segment in segments) text.Append('/').Append(Uri.EscapeDataString(segment));
    }

    /// <summary>Adds a parameter, unless it has no value.</summary>
    public Address With(string name, string? value)
    {
        if (value is null) return this;
        text.Append(separator).Append(name).Append('=').Append(Uri.EscapeDataString(value));
        separator = '&';
        return this;
    }

    /// <summary>Adds a parameter, unless it has no value.</summary>
    public Address With(string name, long? value) => With(name, value?.ToString(CultureInfo.InvariantCulture));

    /// <summary>Adds the parameters of a page.</summary>
    public Address Page(int limit, string? cursor) => With("limit", limit).With("cursor", cursor);

    /// <summary>Relative to the broker's address.</summary>
    public override string ToString() => text.ToString();
}
