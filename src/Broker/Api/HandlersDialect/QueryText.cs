using System.Globalization;

namespace Broker.Api.HandlersDialect;

/// <summary>Values of query parameters, read as the original servers read them (handlers contract 1, 6).</summary>
internal static class QueryText
{
    /// <summary>Only <c>true</c> in any letter case means true; the default applies only when the parameter is absent.</summary>
    public static bool IsTrue(string? text, bool whenAbsent) => text is null ? whenAbsent : text.Equals("true", StringComparison.OrdinalIgnoreCase);

    public static bool TryNumber(string text, out double number) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number) && double.IsFinite(number);

    public static bool TryInteger(string text, out long number) => long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out number);

    /// <summary>A number with at least one decimal: <c>1.0</c>, <c>0.05</c>.</summary>
    public static string Decimal(double number)
    {
        var text = number.ToString("R", CultureInfo.InvariantCulture);
        return text.AsSpan().ContainsAny('.', 'E') ? text : text + ".0";
    }
}
