using System.Globalization;

namespace Broker.Api.InstancesDialect;

/// <summary>Rows in a page (instances contract 2.3).</summary>
internal static class PageSizes
{
    public const int Largest = 100;
    public const int Usual = 25;

    /// <summary>For the API document.</summary>
    public const string Text = "`pageSize`: 1 to 100; anything else means 25, and within a cursor the size of the page before counts.";

    /// <summary>A whole number from 1 to 100; anything else means 25.</summary>
    public static int Of(string? text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var size) && size is >= 1 and <= Largest && double.IsInteger(size)
            ? (int)size
            : Usual;
}
